// Every optimizer's update on every target of this CPU, over several steps, against the textbook.
#include "mlp/kernels/update/update.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <memory>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/reference/optimizer.h"

namespace mlp::kernels {
namespace {

constexpr size_t kSizes[] = {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100, 1001};
constexpr int kSteps = 10;
constexpr double kLearningRate = 0.01;
constexpr MathMode kModes[] = {MathMode::kExact, MathMode::kFast};
// As fp32 has them, so that the reference does not differ by their rounding.
constexpr double kBeta1 = 0.9f;
constexpr double kBeta2 = 0.999f;
constexpr double kEpsilon = 1e-8;

std::unique_ptr<reference::Optimizer> Textbook(OptimizerKind kind, double decay) {
  switch (kind) {
    case OptimizerKind::kSgd:
      return std::make_unique<reference::Sgd>(reference::SgdOptions{kLearningRate, decay});
    case OptimizerKind::kMomentum:
      return std::make_unique<reference::Momentum>(
          reference::MomentumOptions{kLearningRate, kBeta1, decay});
    case OptimizerKind::kRmsProp:
      return std::make_unique<reference::RmsProp>(
          reference::RmsPropOptions{kLearningRate, kBeta2, kEpsilon, decay});
    case OptimizerKind::kAdam:
      return std::make_unique<reference::Adam>(
          reference::AdamOptions{kLearningRate, kBeta1, kBeta2, kEpsilon, decay});
  }
  return nullptr;
}

// The constants of step t = 1, 2, ...
UpdateStep StepAt(OptimizerKind kind, int t, double decay) {
  const bool adam = kind == OptimizerKind::kAdam;
  const double rate = adam ? kLearningRate / (1 - std::pow(kBeta1, t)) : kLearningRate;
  return {.rate = static_cast<float>(rate),
          .keep = static_cast<float>(1 - kLearningRate * decay),
          .beta1 = static_cast<float>(kBeta1),
          .beta2 = static_cast<float>(kBeta2),
          .root_scale = adam ? static_cast<float>(1 / std::sqrt(1 - std::pow(kBeta2, t))) : 1,
          .epsilon = static_cast<float>(kEpsilon)};
}

// Bound of the sum of t steps where they are quotients by a root, else 0.
double LongestStep(OptimizerKind kind, int t) {
  switch (kind) {
    case OptimizerKind::kSgd:
    case OptimizerKind::kMomentum:
      return 0;
    case OptimizerKind::kRmsProp:
      return t * kLearningRate / std::sqrt(1 - kBeta2);
    case OptimizerKind::kAdam:
      return t * kLearningRate;
  }
  return 0;
}

// Parameters, and a gradient for each step whose elements are of very different sizes.
struct Descent {
  Descent(OptimizerKind optimizer, size_t n) : kind(optimizer), w(n), s0(n), s1(n) {
    Stream stream(1, Purpose::kTest, 0, static_cast<uint32_t>(n));
    for (float& x : w) x = stream.Normal();
    if (States(kind) < 1) s0.clear();
    if (States(kind) < 2) s1.clear();
    constexpr float kMagnitudes[] = {1, 0, 1e-3f, 1e-20f, 1e6f, 1e15f, 1e-8f};
    for (int t = 0; t < kSteps; ++t) {
      std::vector<float>& g = gradients.emplace_back(n);
      for (size_t i = 0; i < n; ++i) {
        g[i] = kMagnitudes[i % std::size(kMagnitudes)] * stream.Normal();
      }
    }
  }
  UpdateSpans Spans(int t) { return {w, gradients[static_cast<size_t>(t)], {s0, s1}}; }

  OptimizerKind kind;
  std::vector<float> w, s0, s1;
  std::vector<std::vector<float>> gradients;
};

std::string Repro(const Target& target, OptimizerKind kind, MathMode math, size_t n, size_t i) {
  return "on " + Name(target) + ", " + std::string(Name(kind)) + ", " + std::string(Name(math)) +
         ", n=" + std::to_string(n) + ", i=" + std::to_string(i);
}

class UpdateTest : public testing::TestWithParam<Target> {
 protected:
  // f(kind, math, n) over all of them.
  template <class F>
  void ForEach(F f) {
    for (const OptimizerKind kind : kOptimizerKinds) {
      for (const MathMode math : kModes) {
        for (const size_t n : kSizes) f(kind, math, n);
      }
    }
  }
};

TEST_P(UpdateTest, FollowsTheReferenceOverSteps) {
  for (const double decay : {0.0, 0.1}) {
    ForEach([&](OptimizerKind kind, MathMode math, size_t n) {
      Descent run(kind, n);
      const std::unique_ptr<reference::Optimizer> textbook = Textbook(kind, decay);
      std::vector<double> expected(run.w.begin(), run.w.end());
      // What an element has gone through: the sum of the sizes of w and of all its changes, for
      // some optimizers a few learning rates each. Its error is some ulp of that, where they divide
      // by a root beside that of the quotient.
      std::vector<double> path(n);
      for (size_t i = 0; i < n; ++i) path[i] = std::abs(expected[i]);
      for (int t = 0; t < kSteps; ++t) {
        const std::vector<float>& g = run.gradients[static_cast<size_t>(t)];
        const std::vector<double> before = expected;
        textbook->Step({g.begin(), g.end()}, expected);
        UpdateBlock(SoloContext(GetParam(), math), kind, StepAt(kind, t + 1, decay), run.Spans(t));
        for (size_t i = 0; i < n; ++i) {
          path[i] += std::abs(expected[i] - before[i]);
          const double of_step = math == MathMode::kFast ? 1e-5 : 2e-6;
          const double absolute = (t + 1) * 2 * kUlp * path[i] + of_step * LongestStep(kind, t + 1);
          ASSERT_TRUE(IsNear(run.w[i], expected[i], 0, absolute))
              << Repro(GetParam(), kind, math, n, i) << ", decay=" << decay << ", step " << t + 1;
        }
      }
    });
  }
}

TEST_P(UpdateTest, AdamKeepsTheMomentsOfTheReference) {
  for (const MathMode math : kModes) {
    for (const size_t n : kSizes) {
      Descent run(OptimizerKind::kAdam, n);
      reference::Adam textbook({kLearningRate, kBeta1, kBeta2, kEpsilon, 0});
      std::vector<double> w(n), largest(n);
      for (int t = 0; t < kSteps; ++t) {
        const std::vector<float>& g = run.gradients[static_cast<size_t>(t)];
        textbook.Step({g.begin(), g.end()}, w);
        UpdateBlock(SoloContext(GetParam(), math), run.kind, StepAt(run.kind, t + 1, 0),
                    run.Spans(t));
        for (size_t i = 0; i < n; ++i) largest[i] = std::max<double>(largest[i], std::abs(g[i]));
      }
      for (size_t i = 0; i < n; ++i) {
        ASSERT_TRUE(IsNear(run.s0[i], textbook.first_moment()[i], 0, 4 * kUlp * largest[i]) &&
                    IsNear(run.s1[i], textbook.second_moment()[i], 2 * kSteps * kUlp, FLT_MIN))
            << Repro(GetParam(), run.kind, math, n, i);
      }
    }
  }
}

// Nor do denormals, of which nothing is left beside a parameter.
TEST_P(UpdateTest, ZeroGradientsLeaveParametersAlone) {
  for (const float gradient : {0.0f, -0.0f, 1e-40f, -1e-40f}) {
    ForEach([&](OptimizerKind kind, MathMode math, size_t n) {
      Descent run(kind, n);
      const std::vector<float> before = run.w;
      for (std::vector<float>& g : run.gradients) std::ranges::fill(g, gradient);
      for (int t = 0; t < kSteps; ++t) {
        UpdateBlock(SoloContext(GetParam(), math), kind, StepAt(kind, t + 1, 0), run.Spans(t));
      }
      ASSERT_EQ(run.w, before) << Repro(GetParam(), kind, math, n, 0) << ", gradient=" << gradient;
    });
  }
}

TEST_P(UpdateTest, TeamsOfAnySizeGiveTheSameBits) {
  ForEach([&](OptimizerKind kind, MathMode math, size_t n) {
    std::vector<Descent> runs;
    for (const int threads : kTeamSizes) {
      Descent& run = runs.emplace_back(kind, n);
      RunTeam(threads, [&](const Worker& worker) {
        for (int t = 0; t < kSteps; ++t) {
          Update({&KernelsFor(GetParam()), math, worker}, kind, StepAt(kind, t + 1, 0.1),
                 run.Spans(t));
        }
      });
      ASSERT_TRUE(run.w == runs[0].w && run.s0 == runs[0].s0 && run.s1 == runs[0].s1)
          << Repro(GetParam(), kind, math, n, 0) << ", threads=" << threads;
    }
  });
}

// Element by element is the same as all at once.
TEST_P(UpdateTest, ResultsDoNotDependOnThePosition) {
  constexpr size_t kCount = 41;
  for (const OptimizerKind kind : kOptimizerKinds) {
    for (const MathMode math : kModes) {
      const Context context = SoloContext(GetParam(), math);
      Descent whole(kind, kCount);
      Descent parts(kind, kCount);
      for (int t = 0; t < kSteps; ++t) {
        UpdateBlock(context, kind, StepAt(kind, t + 1, 0.1), whole.Spans(t));
        for (size_t i = 0; i < kCount; ++i) {
          UpdateSpans one = parts.Spans(t);
          one.parameters = one.parameters.subspan(i, 1);
          one.gradient = one.gradient.subspan(i, 1);
          for (size_t k = 0; k < States(kind); ++k) one.states[k] = one.states[k].subspan(i, 1);
          UpdateBlock(context, kind, StepAt(kind, t + 1, 0.1), one);
        }
      }
      EXPECT_EQ(parts.w, whole.w) << Repro(GetParam(), kind, math, kCount, 0);
    }
  }
}

TEST(OptimizerKindTest, NamesAreReadBack) {
  for (const OptimizerKind kind : kOptimizerKinds) EXPECT_EQ(*ParseOptimizerKind(Name(kind)), kind);
  const absl::Status status = ParseOptimizerKind("adagrad").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "--optimizer: expected one of sgd, momentum, rmsprop, adam, found \"adagrad\"");
}

INSTANTIATE_TEST_SUITE_P(, UpdateTest, testing::ValuesIn(SupportedTargets()), TestName);

}  // namespace
}  // namespace mlp::kernels
