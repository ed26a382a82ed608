#include "analysis/value.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "analysis/statistics.h"
#include "mlp/base/check.h"
#include "mlp/record/keys.h"

namespace mlp::analysis {
namespace {

namespace keys = record::keys;

enum class Unit { kNone, kSeconds, kPerSecond, kBytes, kPercent, kPoints, kFraction };

Unit UnitOf(absl::string_view path) {
  const absl::string_view key = KeyOf(path);
  if (absl::EndsWith(key, "_per_s") || absl::EndsWith(key, "_per_second")) return Unit::kPerSecond;
  if (absl::EndsWith(key, "_s") || key == "seconds") return Unit::kSeconds;
  if (absl::EndsWith(key, "_bytes")) return Unit::kBytes;
  if (absl::EndsWith(key, "_difference_pct")) return Unit::kPoints;
  if (absl::EndsWith(key, "_pct")) return Unit::kPercent;
  if (absl::EndsWith(key, "accuracy")) return Unit::kFraction;
  return Unit::kNone;
}

std::optional<double> Finite(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

// The key in words, without its unit.
std::string Words(absl::string_view path) {
  absl::string_view key = KeyOf(path);
  for (const auto& [name, words] :
       {std::pair("seconds", "time"), std::pair("rss_bytes", "peak memory"),
        std::pair("thread_bytes", "bytes per thread"), std::pair("peak_pct", "part of the peak")}) {
    if (key == name) return words;
  }
  std::string tail;
  if (!absl::ConsumeSuffix(&key, "_per_s") && !absl::ConsumeSuffix(&key, "_per_second") &&
      !absl::ConsumeSuffix(&key, "_bytes") && !absl::ConsumeSuffix(&key, "_pct") &&
      absl::ConsumeSuffix(&key, "_s")) {
    // A key such as time_to_accuracy_s says it by itself.
    if (!absl::StartsWith(key, "time_")) tail = " time";
  }
  return absl::StrCat(absl::StrReplaceAll(key, {{"_", " "}}), tail);
}

template <class Map>
auto Find(const Map& map, absl::string_view key) -> const typename Map::mapped_type* {
  const auto found = map.find(std::string(key));
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

absl::string_view KeyOf(absl::string_view path) { return path.substr(path.find('.') + 1); }

std::optional<double> ValueOf(const record::RunRecord& run, absl::string_view path) {
  const absl::string_view key = KeyOf(path);
  if (absl::StartsWith(path, absl::StrCat(keys::kTimings, "."))) {
    const auto* values = Find(run.timings, key);
    if (values == nullptr || values->empty()) return std::nullopt;
    for (const double value : *values) {
      if (!std::isfinite(value)) return std::nullopt;
    }
    return Median(*values);
  }
  if (absl::StartsWith(path, absl::StrCat(keys::kMetrics, "."))) {
    const double* value = Find(run.metrics, key);
    return value == nullptr ? std::nullopt : Finite(*value);
  }
  if (absl::StartsWith(path, absl::StrCat(keys::kParams, "."))) {
    const record::Scalar* scalar = Find(run.params, key);
    const double* value = scalar == nullptr ? nullptr : std::get_if<double>(scalar);
    return value == nullptr ? std::nullopt : Finite(*value);
  }
  return std::nullopt;
}

std::string TextOf(const record::RunRecord& run, absl::string_view path) {
  const record::Scalar* scalar = Find(run.params, KeyOf(path));
  return scalar == nullptr ? "" : record::ToText(*scalar);
}

std::string Digits(double value, int digits) {
  if (value == 0) return "0";
  const int decimals = DecimalsFor(value, digits);
  return decimals < 0 ? absl::StrFormat("%.*e", digits - 1, value)
                      : absl::StrFormat("%.*f", decimals, value);
}

int DecimalsFor(double value, int digits) {
  const double size = std::abs(value);
  if (size == 0) return 0;
  if (size < 1e-4 || size >= 1e7) return -1;
  // The exponent after rounding: 9.996 has two digits before the point.
  const std::string rounded = absl::StrFormat("%.*e", digits - 1, value);
  int exponent = 0;
  MLP_CHECK(absl::SimpleAtoi(rounded.substr(rounded.find('e') + 1), &exponent));
  return std::max(digits - 1 - exponent, 0);
}

Scale ScaleFor(absl::string_view path, double value) {
  const double size = std::abs(value);
  switch (UnitOf(path)) {
    case Unit::kPercent:
      return {.suffix = " %"};
    case Unit::kPoints:
      return {.suffix = " points"};
    case Unit::kFraction:
      return {.factor = 100, .suffix = " %", .decimals = 2};
    case Unit::kBytes:
      for (const auto& [unit, name] : {std::pair(0x1p40, " TiB"), std::pair(0x1p30, " GiB"),
                                       std::pair(0x1p20, " MiB"), std::pair(0x1p10, " KiB")}) {
        if (size >= unit) return {.factor = 1 / unit, .suffix = name};
      }
      return {.suffix = " B"};
    case Unit::kPerSecond:
      for (const auto& [unit, name] :
           {std::pair(1e9, " G/s"), std::pair(1e6, " M/s"), std::pair(1e3, " k/s")}) {
        if (size >= unit) return {.factor = 1 / unit, .suffix = name};
      }
      return {.suffix = " /s"};
    case Unit::kSeconds:
      for (const auto& [unit, name] :
           {std::pair(1.0, " s"), std::pair(1e-3, " ms"), std::pair(1e-6, " \u00b5s")}) {
        if (size >= unit) return {.factor = 1 / unit, .suffix = name};
      }
      return size == 0 ? Scale{.suffix = " s"} : Scale{.factor = 1e9, .suffix = " ns"};
    case Unit::kNone:
      break;
  }
  const bool whole = value == std::trunc(value) && size < 1e7;
  return {.suffix = "", .decimals = whole ? 0 : -1};
}

std::string FormatNumber(const Scale& scale, double value) {
  const double scaled = scale.factor * value;
  return scale.decimals >= 0 ? absl::StrFormat("%.*f", scale.decimals, scaled) : Digits(scaled, 3);
}

std::string FormatValue(absl::string_view path, double value) {
  const Scale scale = ScaleFor(path, value);
  return absl::StrCat(FormatNumber(scale, value), scale.suffix);
}

std::string Label(absl::string_view path) {
  return absl::StrCat(Words(path), UnitOf(path) == Unit::kPerSecond ? "/s" : "");
}

bool HigherIsBetter(absl::string_view path) {
  switch (UnitOf(path)) {
    case Unit::kPerSecond:
    case Unit::kFraction:
      return true;
    case Unit::kSeconds:
    case Unit::kBytes:
      return false;
    case Unit::kPercent:
    case Unit::kPoints:
    case Unit::kNone:
      break;
  }
  return !absl::StrContains(KeyOf(path), "loss") && !IsDeviation(path);
}

bool IsSpeed(absl::string_view path) {
  const Unit unit = UnitOf(path);
  return unit == Unit::kSeconds || unit == Unit::kPerSecond;
}

bool IsPercentage(absl::string_view path) {
  const Unit unit = UnitOf(path);
  return unit == Unit::kPercent || unit == Unit::kFraction;
}

bool IsDeviation(absl::string_view path) {
  const absl::string_view key = KeyOf(path);
  return absl::StrContains(key, "deviation") || absl::StrContains(key, "error");
}

std::string FormatPoints(absl::string_view path, double difference) {
  return absl::StrFormat("%.2f points", ScaleFor(path, 1).factor * difference);
}

Axis AxisOf(absl::string_view path, double largest) {
  const Scale scale = ScaleFor(path, largest);
  if (UnitOf(path) == Unit::kPerSecond) {
    const double size = 1 / scale.factor;
    return {.label = absl::StrCat(size >= 1e9   ? "billion "
                                  : size >= 1e6 ? "million "
                                  : size >= 1e3 ? "thousand "
                                                : "",
                                  Label(path)),
            .factor = scale.factor};
  }
  std::string unit(absl::StripAsciiWhitespace(scale.suffix));
  if (absl::EndsWith(path, "loss_deviation")) unit = "relative";  // To the reference's loss.
  return {.label = unit.empty() ? Words(path) : absl::StrCat(Words(path), " (", unit, ")"),
          .factor = scale.factor};
}

}  // namespace mlp::analysis
