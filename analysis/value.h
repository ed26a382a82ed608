// Values of a run by their path ("timings.step_s"), and how they are shown: the suffix of a key is
// its unit.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "mlp/record/record.h"

namespace mlp::analysis {

// The number that a path names: "timings.<key>" (of several the median), "metrics.<key>",
// "params.<key>". Nothing if it is not there, no number or not finite.
std::optional<double> ValueOf(const record::RunRecord& run, absl::string_view path);

// A param as text; "" if it is not there.
std::string TextOf(const record::RunRecord& run, absl::string_view path);

// "timings.step_s" -> "step_s".
absl::string_view KeyOf(absl::string_view path);

// How numbers of one size are written: times `scale`, then the suffix.
struct Scale {
  double factor = 1;
  std::string suffix = "";  // " ms", " k/s", " %", "".
  int decimals = -1;        // -1: three significant digits.
};

// For values of about this size.
Scale ScaleFor(absl::string_view path, double value);

// Without the suffix.
std::string FormatNumber(const Scale& scale, double value);

// "540 k/s", "210 us" (with a micro sign), "1.50 MiB", "97.90 %", "0.123".
std::string FormatValue(absl::string_view path, double value);

// `value` with that many significant digits, without an exponent where it is readable: "14.2".
std::string Digits(double value, int digits);

// "samples/s", "step time", "test accuracy": the key in words.
std::string Label(absl::string_view path);

// What the key says about the direction: rates and accuracies yes; times, bytes, losses no.
bool HigherIsBetter(absl::string_view path);

// Whether it measures speed: a time or a rate.
bool IsSpeed(absl::string_view path);

// Whether it is shown in percent.
bool IsPercentage(absl::string_view path);

// Whether it measures how far something is off: such values spread over orders of magnitude.
bool IsDeviation(absl::string_view path);

// The difference of two values of a percentage: "0.12 points".
std::string FormatPoints(absl::string_view path, double difference);

// Decimals that `value` needs to show that many significant digits; -1 where they would not be
// readable.
int DecimalsFor(double value, int digits);

// An axis whose values go up to about `largest`: "step time (ms)", "thousand samples/s", and the
// factor for its numbers.
struct Axis {
  std::string label = "";
  double factor = 1;
};
Axis AxisOf(absl::string_view path, double largest);

}  // namespace mlp::analysis
