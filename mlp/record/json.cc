#include "mlp/record/json.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"

namespace mlp::record {
namespace {

// Accepts every event and keeps the place of the first error. It is run over text that the parser
// has refused: without exceptions the parser itself does not say where.
class ErrorFinder : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    position_ = position;
    what_ = error.what();
    return false;
  }

  size_t position_ = 0;
  std::string what_;
};

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text, absl::string_view source,
                               absl::string_view remedy) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_discarded()) return json;
  ErrorFinder finder;
  Json::sax_parse(text.begin(), text.end(), &finder);
  const size_t position = std::min(finder.position_, text.size());
  const auto line = 1 + std::count(text.begin(), text.begin() + position, '\n');
  // The library's text opens with its own tag and place, "[json.exception.parse_error.101] parse
  // error at line 1, column 2: ".
  absl::string_view what = finder.what_;
  for (const absl::string_view end : {"] ", ": "}) {
    if (end == ": " && !absl::StartsWith(what, "parse error at ")) break;
    const size_t found = what.find(end);
    if (found != absl::string_view::npos) what.remove_prefix(found + end.size());
  }
  return absl::InvalidArgumentError(absl::StrCat(source, ": line ", line, ", byte ", position,
                                                 ": expected JSON, found ", what, "; ", remedy));
}

std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

Json Number(double value) {
  MLP_CHECK(std::isfinite(value));
  constexpr double kExact = 0x1p53;
  if (value == std::trunc(value) && std::abs(value) < kExact) {
    return static_cast<int64_t>(value);
  }
  return value;
}

}  // namespace mlp::record
