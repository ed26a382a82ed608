// Softmax and its companions on every target of this CPU, against the textbook.
#include "mlp/kernels/softmax/softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/reference/gradient_check.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/softmax.h"

namespace mlp::kernels {
namespace {

constexpr size_t kRows = 19;  // more than a vector has lanes
constexpr float kLimits[] = {1, 20, 1e4f, 1e-40f};
constexpr MathMode kModes[] = {MathMode::kExact, MathMode::kFast};

std::vector<size_t> Classes() {
  std::vector<size_t> classes;
  for (size_t n = 1; n <= 40; ++n) classes.push_back(n);
  classes.insert(classes.end(), {63, 64, 65, 128, 256, 1000});
  return classes;
}

// Relative error of a probability: those of the exponential, of its argument (up to 87, rounded),
// and of a sum of n terms.
double Tolerance(MathMode math, size_t n) {
  return (math == MathMode::kFast ? 2e-5 : 1e-5) + static_cast<double>(n) * kUlp / 4;
}
// Exponentials are clamped at about e^-87.
constexpr double kSmallest = 1e-37;

// Logits of kRows rows and a label for each, uniform.
struct Problem {
  Problem(size_t classes, float limit, uint32_t seed = 1)
      : stream(seed, Purpose::kTest, 0, static_cast<uint32_t>(classes)),
        logits(kRows, classes, stream, -limit, limit) {
    for (size_t i = 0; i < kRows; ++i) {
      labels.push_back(static_cast<uint8_t>(
          stream.Below(static_cast<uint32_t>(std::min<size_t>(classes, 256)))));
    }
  }
  std::vector<int> IntLabels() const { return {labels.begin(), labels.end()}; }
  size_t FirstLargest(size_t i) {
    const float* row = logits.view().row(i);
    return static_cast<size_t>(std::max_element(row, row + logits.view().cols()) - row);
  }

  Stream stream;
  Padded logits;
  std::vector<uint8_t> labels;
};

std::string Repro(const Target& target, MathMode math, size_t classes, float limit) {
  return "on " + Name(target) + ", " + std::string(Name(math)) +
         ", classes=" + std::to_string(classes) + ", logits up to " + std::to_string(limit);
}

class SoftmaxTest : public testing::TestWithParam<Target> {
 protected:
  // f(problem, context, tolerance, repro) over classes, sizes of logits and modes.
  template <class F>
  void ForEach(F f) {
    for (const size_t classes : Classes()) {
      for (const float limit : kLimits) {
        for (const MathMode math : kModes) {
          Problem problem(classes, limit);
          f(problem, SoloContext(GetParam(), math), Tolerance(math, classes),
            Repro(GetParam(), math, classes, limit));
        }
      }
    }
  }
};

TEST_P(SoftmaxTest, SoftmaxMatchesTheReference) {
  ForEach([](Problem& problem, const Context& context, double tolerance, const std::string& repro) {
    const size_t n = problem.logits.view().cols();
    const reference::Matrix expected = reference::Softmax(problem.logits.Double());
    Padded p(kRows, n, problem.stream);
    Softmax(context, problem.logits.view(), p.view());
    for (size_t k = 0; k < kRows * n; ++k) {
      ASSERT_TRUE(IsNear(p.view()(k / n, k % n), expected.data[k], tolerance, kSmallest)) << repro;
    }
    EXPECT_TRUE(p.GapsAreUntouched()) << repro;
    Softmax(context, problem.logits.view(), problem.logits.view());
    EXPECT_EQ(problem.logits.Double().data, p.Double().data) << repro << " in place";
  });
}

TEST_P(SoftmaxTest, LogSoftmaxMatchesTheReference) {
  ForEach([](Problem& problem, const Context& context, double tolerance, const std::string& repro) {
    const size_t n = problem.logits.view().cols();
    const reference::Matrix expected = reference::LogSoftmax(problem.logits.Double());
    Padded y(kRows, n, problem.stream);
    LogSoftmax(context, problem.logits.view(), y.view());
    for (size_t k = 0; k < kRows * n; ++k) {
      ASSERT_TRUE(IsNear(y.view()(k / n, k % n), expected.data[k], 2 * kUlp, tolerance)) << repro;
    }
    EXPECT_TRUE(y.GapsAreUntouched()) << repro;
    LogSoftmax(context, problem.logits.view(), problem.logits.view());
    EXPECT_EQ(problem.logits.Double().data, y.Double().data) << repro << " in place";
  });
}

TEST_P(SoftmaxTest, CrossEntropyMatchesTheReference) {
  ForEach([](Problem& problem, const Context& context, double tolerance, const std::string& repro) {
    constexpr float kScale = 0.25f;
    const size_t n = problem.logits.view().cols();
    const reference::Matrix logits = problem.logits.Double();
    const reference::Matrix log_p = reference::LogSoftmax(logits);
    const reference::Matrix mean =
        reference::SoftmaxCrossEntropyGradient(logits, problem.IntLabels());
    Padded gradient(kRows, n, problem.stream);
    std::vector<float> losses(kRows);
    std::vector<uint8_t> hits(kRows);
    SoftmaxCrossEntropy(context, problem.logits.view(), problem.labels, kScale, losses, hits,
                        gradient.view());
    EXPECT_TRUE(gradient.GapsAreUntouched()) << repro;
    for (size_t i = 0; i < kRows; ++i) {
      const size_t label = problem.labels[i];
      EXPECT_TRUE(IsNear(losses[i], -log_p(i, label), 2 * kUlp, tolerance)) << repro;
      EXPECT_EQ(hits[i], problem.FirstLargest(i) == label) << repro;
      for (size_t j = 0; j < n; ++j) {
        ASSERT_TRUE(
            IsNear(gradient.view()(i, j), mean(i, j) * kRows * kScale, 0, kScale * tolerance))
            << repro;
      }
    }
  });
}

TEST_P(SoftmaxTest, GradientMatchesCentralDifferencesOfTheReferenceLoss) {
  for (const MathMode math : kModes) {
    for (const size_t classes : {1, 2, 10, 17}) {
      Problem problem(classes, 5);
      const std::vector<double> differences = reference::CentralDifferences(
          [&](const std::vector<double>& x) {
            return reference::SoftmaxCrossEntropy(reference::Matrix(kRows, classes, x),
                                                  problem.IntLabels());
          },
          problem.logits.Double().data);
      Padded gradient(kRows, classes, problem.stream);
      std::vector<float> losses(kRows);
      std::vector<uint8_t> hits(kRows);
      SoftmaxCrossEntropy(SoloContext(GetParam(), math), problem.logits.view(), problem.labels,
                          1.0f / kRows, losses, hits, gradient.view());
      EXPECT_TRUE(
          reference::IsClose(gradient.Double().data, differences, Tolerance(math, classes), 1))
          << Repro(GetParam(), math, classes, 5);
    }
  }
}

TEST_P(SoftmaxTest, ArgMaxIsTheFirstOfEquals) {
  for (size_t n = 1; n <= 256; n = n < 40 ? n + 1 : n + 27) {
    Problem problem(n, 10);
    const Matrix x = problem.logits.view();
    // The largest stands twice in the even rows.
    for (size_t i = 0; i < kRows; i += 2) {
      const auto below = [&] { return problem.stream.Below(static_cast<uint32_t>(n)); };
      x(i, below()) = x(i, below()) = 11;
    }
    for (const int threads : kTeamSizes) {
      std::vector<uint32_t> index(kRows);
      RunTeam(threads, [&](const Worker& worker) {
        ArgMax({&KernelsFor(GetParam()), MathMode::kFast, worker}, x, index);
      });
      for (size_t i = 0; i < kRows; ++i) {
        ASSERT_EQ(index[i], problem.FirstLargest(i))
            << Name(GetParam()) << " classes=" << n << " row=" << i << " threads=" << threads;
      }
    }
  }
}

// Wherever it stands, in a vector of its own or not.
TEST_P(SoftmaxTest, ArgMaxOfARowWithANanIsTheFirst) {
  for (const size_t n : {1, 3, 10, 16, 17, 40}) {
    for (size_t at = 0; at < n; ++at) {
      Problem problem(n, 10);
      const Matrix x = problem.logits.view();
      x(0, at) = std::numeric_limits<float>::quiet_NaN();
      std::vector<uint32_t> index(kRows);
      ArgMax(SoloContext(GetParam(), MathMode::kFast), x, index);
      EXPECT_EQ(index[0], 0u) << Name(GetParam()) << " classes=" << n << " NaN at " << at;
      EXPECT_EQ(index[1], problem.FirstLargest(1));
    }
  }
}

TEST_P(SoftmaxTest, TeamsOfAnySizeGiveTheSameBits) {
  for (const MathMode math : kModes) {
    for (const size_t classes : {1, 10, 33}) {
      std::vector<std::vector<double>> results;
      for (const int threads : kTeamSizes) {
        Problem problem(classes, 20);
        Padded p(kRows, classes, problem.stream), log_p(kRows, classes, problem.stream);
        Padded gradient(kRows, classes, problem.stream);
        std::vector<float> losses(kRows);
        std::vector<uint8_t> hits(kRows);
        RunTeam(threads, [&](const Worker& worker) {
          const Context context = {&KernelsFor(GetParam()), math, worker};
          Softmax(context, problem.logits.view(), p.view());
          LogSoftmax(context, problem.logits.view(), log_p.view());
          SoftmaxCrossEntropy(context, problem.logits.view(), problem.labels, 1, losses, hits,
                              gradient.view());
        });
        std::vector<double> result(losses.begin(), losses.end());
        result.insert(result.end(), hits.begin(), hits.end());
        for (Padded* m : {&p, &log_p, &gradient}) {
          const std::vector<double> values = m->Double().data;
          result.insert(result.end(), values.begin(), values.end());
        }
        results.push_back(result);
        EXPECT_EQ(result, results[0])
            << Repro(GetParam(), math, classes, 20) << " threads=" << threads;
      }
    }
  }
}

TEST_P(SoftmaxTest, InfinitiesAndNaNsGoAsInTheReference) {
  for (const MathMode math : kModes) {
    for (const float special : {kInf, -kInf, kNaN}) {
      for (const size_t n : {2, 3, 8, 10, 17, 33}) {
        for (const size_t at : {size_t{0}, n / 2, n - 1}) {
          Problem problem(n, 5);
          problem.logits.view()(2, at) = special;
          const reference::Matrix expected = reference::Softmax(problem.logits.Double());
          const reference::Matrix log_expected = reference::LogSoftmax(problem.logits.Double());
          Padded p(kRows, n, problem.stream), log_p(kRows, n, problem.stream);
          Softmax(SoloContext(GetParam(), math), problem.logits.view(), p.view());
          LogSoftmax(SoloContext(GetParam(), math), problem.logits.view(), log_p.view());
          for (size_t k = 0; k < kRows * n; ++k) {
            ASSERT_TRUE(IsNear(p.view()(k / n, k % n), expected.data[k], 2e-5, kSmallest) &&
                        IsNear(log_p.view()(k / n, k % n), log_expected.data[k], 2 * kUlp, 2e-5))
                << Repro(GetParam(), math, n, 5) << ", " << special << " at 2, " << at;
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, SoftmaxTest, testing::ValuesIn(SupportedTargets()), TestName);

}  // namespace
}  // namespace mlp::kernels
