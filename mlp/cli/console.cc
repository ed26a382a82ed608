#include "mlp/cli/console.h"

#include <cstdio>

namespace mlp::cli {
namespace {

void Complain(absl::string_view who, absl::string_view what) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(who.size()), who.data(),
               static_cast<int>(what.size()), what.data());
}

}  // namespace

int Fail(const absl::Status& status) {
  Complain("mlp", status.message());
  return kFailed;
}

int RefuseUse(absl::string_view command, const absl::Status& status) {
  Complain(command, status.message());
  return kWrongUse;
}

void Note(bool quiet, absl::string_view text) {
  if (!quiet) Complain("mlp: note", text);
}

void PrintJson(const Json& document) {
  PrintText(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace mlp::cli
