#include "benchmarks/peers/verdict.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace mlp::peers {
namespace {

// A loss below this is compared as if it were this large: in late epochs little is left of it, and
// trainings that differ in rounding alone come 0.004 apart (two strategies of our own on MNIST).
constexpr double kLeastLoss = 0.2;

std::string Percent(double part) { return absl::StrFormat("%.2f %%", 100 * part); }

std::string LossDisagreement(const std::optional<double>& found,
                             const std::optional<double>& expected, double tolerance) {
  if (!found || !expected) return "";
  const double off = std::abs(*found - *expected) / std::max(*expected, kLeastLoss);
  if (off <= tolerance) return "";
  return absl::StrFormat("train loss %.4f, ours %.4f: off by more than %.3g %%", *found, *expected,
                         100 * tolerance);
}

std::string AccuracyDisagreement(const char* part, const std::optional<double>& found,
                                 const std::optional<double>& expected, double tolerance) {
  if (!found || !expected || std::abs(*found - *expected) <= tolerance) return "";
  return absl::StrFormat("%s accuracy %s, ours %s: off by more than %.3g points", part,
                         Percent(*found), Percent(*expected), 100 * tolerance);
}

}  // namespace

Tolerance ToleranceFor(const Uses& uses, const Samples& samples) {
  if (uses.order && uses.weights && uses.precision == "fp32") {
    return {.train_loss = 0.05, .train_accuracy = 0.005, .test_accuracy = 0.01};
  }
  constexpr Samples kMnist = {};
  const auto wider = [](size_t of_mnist, size_t found) {
    return found >= of_mnist ? 1
                             : std::sqrt(static_cast<double>(of_mnist) /
                                         static_cast<double>(std::max<size_t>(found, 1)));
  };
  const double train = wider(kMnist.train, samples.train);
  const double test = std::max(train, wider(kMnist.test, samples.test));
  return {
      .train_loss = 0.15 * train, .train_accuracy = 0.015 * train, .test_accuracy = 0.015 * test};
}

std::string Disagreement(const Uses& uses, const Samples& samples, const Figures& found,
                         const Figures& expected, size_t epoch) {
  if (!uses.checked) return "";
  const Tolerance tolerance = ToleranceFor(uses, samples);
  std::string what = LossDisagreement(found.train.loss, expected.train.loss, tolerance.train_loss);
  if (what.empty()) {
    what = AccuracyDisagreement("train", found.train.accuracy, expected.train.accuracy,
                                tolerance.train_accuracy);
  }
  if (what.empty()) {
    what = AccuracyDisagreement("test", found.test.accuracy, expected.test.accuracy,
                                tolerance.test_accuracy);
  }
  // What cannot be checked at all does not pass.
  if (what.empty() && !found.train.loss && !found.test.accuracy) {
    what = "it tells neither loss nor accuracy";
  }
  if (what.empty() && uses.optimizer != "adam") what = "its optimizer is " + uses.optimizer;
  if (what.empty()) return "";
  std::string reason = absl::StrCat("after epoch ", epoch, ": ", what);
  if (uses.optimizer != "adam" || uses.loss != "softmax_cross_entropy") {
    absl::StrAppend(&reason, " (trains with ", uses.optimizer, " on ", uses.loss, ")");
  }
  return reason;
}

}  // namespace mlp::peers
