// Is a gradient right? Compared with central differences, number by number.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mlp/autograd/tape.h"

namespace mlp::autograd {

struct GradCheckOptions {
  // Of each difference, relative to max(1, |x|). Truncation grows with its square, rounding as it
  // shrinks: about the cube root of the number type's precision.
  double step = 6e-6;
  double relative = 1e-6;  // tolerated, beside
  double absolute = 1e-8;
};

struct GradCheckResult {
  double largest_error = 0;  // |gradient - difference|; NaN is larger than any number
  size_t at = 0;             // the input that has it
  double gradient = 0;       // there
  double difference = 0;
  // FailedPrecondition names the input that is furthest beyond what is tolerated.
  absl::Status status;
};

// f: from std::span<const Value<double>> to Value<double>, the same each time. Calls it 1 + 2 n
// times, on a tape of its own. At a kink the differences are those of neither side.
template <class Function>
GradCheckResult GradCheck(Function f, std::span<const double> x,
                          const GradCheckOptions& options = {}) {
  Tape<double> tape;
  std::vector<double> at(x.begin(), x.end());
  const TapeMark mark = tape.Mark();
  std::vector<double> gradient(at.size());
  const auto evaluate = [&](bool differentiate) {
    tape.Rewind(mark);
    std::vector<Value<double>> inputs;
    for (const double number : at) inputs.emplace_back(number);
    const Value<double> y = f(std::span<const Value<double>>(inputs));
    if (differentiate) {
      tape.Backward(y);
      for (size_t i = 0; i < at.size(); ++i) gradient[i] = inputs[i].gradient();
    }
    return y.value();
  };
  evaluate(true);

  // The order of errors: NaN is the largest of all.
  const auto larger = [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a > b; };
  GradCheckResult result;
  double worst = 1;
  for (size_t i = 0; i < at.size(); ++i) {
    const double center = at[i];
    const double step = options.step * std::max(1.0, std::abs(center));
    const double right = at[i] = center + step;
    const double f_right = evaluate(false);
    const double left = at[i] = center - step;
    const double difference = (f_right - evaluate(false)) / (right - left);
    at[i] = center;
    const double error = std::abs(gradient[i] - difference);
    const double tolerated = options.absolute + options.relative * std::abs(difference);
    if (larger(error, result.largest_error)) {
      result.largest_error = error;
      result.at = i;
      result.gradient = gradient[i];
      result.difference = difference;
    }
    if (larger(error / tolerated, worst)) {
      worst = error / tolerated;
      result.status = absl::FailedPreconditionError(absl::StrCat(
          "input ", i, " of ", at.size(), " (", center, "): the gradient is ", gradient[i],
          ", central differences say ", difference, "; the error ", error, " is beyond ", tolerated,
          std::isfinite(difference) ? ""
                                    : absl::StrCat("; where f has no values at ", left, " and ",
                                                   right, ", make `step` smaller")));
    }
  }
  return result;
}

}  // namespace mlp::autograd
