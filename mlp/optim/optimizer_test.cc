// Optimizers as a training loop uses them: steps worked by hand, and functions with known minima.
#include "mlp/optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/update/update.h"
#include "mlp/optim/textbook.h"
#include "mlp/reference/optimizer.h"

namespace mlp::optim {
namespace {

using kernels::MathMode;
using kernels::OptimizerKind;

using Gradient = std::function<std::vector<float>(const std::vector<float>&)>;

// w after `steps` steps along gradient(w).
std::vector<float> Minimize(const kernels::Context& context, const OptimizerOptions& options,
                            const Gradient& gradient, std::vector<float> w, int steps) {
  Optimizer optimizer(options, w.size());
  for (int t = 0; t < steps; ++t) {
    const std::vector<float> g = gradient(w);
    optimizer.BeginStep();
    kernels::Update(context, options.kind, optimizer.step(), optimizer.Spans({0, w.size()}, w, g));
  }
  EXPECT_EQ(optimizer.steps(), steps);
  return w;
}

// The gradient 0.5, then -0.25, whatever w is.
Gradient HalfThenMinusAQuarter() {
  return [first = true](const std::vector<float>&) mutable {
    const float g = first ? 0.5f : -0.25f;
    first = false;
    return std::vector<float>{g};
  };
}

class OptimizerTest : public testing::TestWithParam<kernels::Target> {};

TEST_P(OptimizerTest, SgdByHand) {
  const OptimizerOptions options = {
      .kind = OptimizerKind::kSgd, .learning_rate = 0.1, .weight_decay = 0.1};
  const kernels::Context context = kernels::SoloContext(GetParam());
  // 1 (1 - 0.01) - 0.05 = 0.94; 0.94 (1 - 0.01) + 0.025 = 0.9556.
  EXPECT_FLOAT_EQ(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 1)[0], 0.94f);
  EXPECT_FLOAT_EQ(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 2)[0], 0.9556f);
}

// 1 - 0.05 = 0.95; the velocity is 0.9 * 0.5 - 0.25 = 0.2, and 0.95 - 0.02 = 0.93.
TEST_P(OptimizerTest, MomentumByHand) {
  OptimizerOptions options = {.kind = OptimizerKind::kMomentum, .learning_rate = 0.1};
  const kernels::Context context = kernels::SoloContext(GetParam());
  EXPECT_FLOAT_EQ(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 1)[0], 0.95f);
  EXPECT_FLOAT_EQ(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 2)[0], 0.93f);
  // Without memory it is gradient descent: 0.94, 0.9556.
  options.momentum = 0;
  options.weight_decay = 0.1;
  EXPECT_FLOAT_EQ(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 2)[0], 0.9556f);
}

// v = 0.1 * 0.25 = 0.025 and 0.9 * 0.025 + 0.1 * 0.0625 = 0.02875: steps of -0.1 * 0.5 / 0.158114
// and 0.1 * 0.25 / 0.169558.
TEST_P(OptimizerTest, RmsPropByHand) {
  for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
    const kernels::Context context = kernels::SoloContext(GetParam(), math);
    const OptimizerOptions options = {.kind = OptimizerKind::kRmsProp, .learning_rate = 0.1};
    EXPECT_NEAR(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 1)[0], 0.68377223, 1e-6);
    EXPECT_NEAR(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 2)[0], 0.83121449, 1e-6);
  }
}

// The first step is the learning rate, whatever the gradient. The second: m = 0.02, v = 0.00031225,
// m / 0.19 / sqrt(v / 0.001999) = 0.266337.
TEST_P(OptimizerTest, AdamByHand) {
  for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
    const double tolerance = math == MathMode::kExact ? 2e-7 : 1e-6;  // 1 ulp of w, of the step
    const kernels::Context context = kernels::SoloContext(GetParam(), math);
    OptimizerOptions options = {.kind = OptimizerKind::kAdam, .learning_rate = 0.1};
    EXPECT_NEAR(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 1)[0], 0.9, tolerance);
    EXPECT_NEAR(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 2)[0], 0.87336632,
                2 * tolerance);
    options.weight_decay = 0.5;
    EXPECT_NEAR(Minimize(context, options, HalfThenMinusAQuarter(), {1}, 1)[0], 0.85, tolerance);
    options.weight_decay = 0;
    // From 0, the whole of w is the step.
    const float step = Minimize(context, options, HalfThenMinusAQuarter(), {0}, 1)[0];
    EXPECT_NEAR(step, -0.1, math == MathMode::kExact ? 3e-8 : 3e-7) << Name(GetParam());
  }
}

TEST_P(OptimizerTest, FollowsTheReferenceWithGradientsOfOneSize) {
  for (const OptimizerKind kind : kernels::kOptimizerKinds) {
    const OptimizerOptions options = {.kind = kind, .learning_rate = 0.01, .weight_decay = 0.1};
    const std::unique_ptr<reference::Optimizer> textbook = Textbook(options);
    std::vector<float> w(37, 0.5f);
    std::vector<double> expected(w.begin(), w.end());
    Optimizer optimizer(options, w.size());
    Stream stream(1, Purpose::kTest);
    for (int t = 0; t < 200; ++t) {
      std::vector<float> g(w.size());
      for (float& x : g) x = stream.Normal();
      textbook->Step({g.begin(), g.end()}, expected);
      optimizer.BeginStep();
      // In two stretches, as strategies may.
      const std::span<const float> gradient = g;
      for (const Range range : {Range{0, 20}, Range{20, 37}}) {
        kernels::UpdateBlock(
            kernels::SoloContext(GetParam(), MathMode::kExact), options.kind, optimizer.step(),
            optimizer.Spans(range, w, gradient.subspan(range.begin, range.size())));
      }
      for (size_t i = 0; i < w.size(); ++i) {
        ASSERT_NEAR(w[i], expected[i], 1e-6 + 1e-7 * t)
            << Name(kind) << " on " << Name(GetParam()) << ", step " << t + 1;
      }
    }
  }
}

// f(w) = sum of c_i (w_i - a_i)^2 / 2.
TEST_P(OptimizerTest, FindTheMinimumOfAQuadratic) {
  const std::vector<float> c = {1, 10, 0.5f, 3}, a = {1, -2, 3, 0};
  const Gradient gradient = [&](const std::vector<float>& w) {
    std::vector<float> g(w.size());
    for (size_t i = 0; i < w.size(); ++i) g[i] = c[i] * (w[i] - a[i]);
    return g;
  };
  for (const OptimizerKind kind : kernels::kOptimizerKinds) {
    // Near the minimum rmsprop still takes steps of about its rate.
    const bool restless = kind == OptimizerKind::kRmsProp;
    const OptimizerOptions options = {.kind = kind, .learning_rate = restless ? 2e-3 : 0.05};
    const std::vector<float> w =
        Minimize(kernels::SoloContext(GetParam()), options, gradient, {0, 0, 0, 1}, 2000);
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(w[i], a[i], restless ? 2e-3 : 1e-3) << Name(kind) << " on " << Name(GetParam());
    }
  }
}

// f(x, y) = (1 - x)^2 + 100 (y - x^2)^2, least at (1, 1) (Rosenbrock 1960).
TEST_P(OptimizerTest, FindTheMinimumOfRosenbrocksFunction) {
  const Gradient gradient = [](const std::vector<float>& w) {
    const float x = w[0], y = w[1];
    return std::vector<float>{-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)};
  };
  for (const OptimizerKind kind : kernels::kOptimizerKinds) {
    const double rate = kind == OptimizerKind::kAdam ? 1e-2 : 1e-3;
    const OptimizerOptions options = {.kind = kind, .learning_rate = rate};
    const std::vector<float> w =
        Minimize(kernels::SoloContext(GetParam()), options, gradient, {-1.2f, 1}, 30'000);
    EXPECT_NEAR(w[0], 1, 0.01) << Name(kind) << " on " << Name(GetParam());
    EXPECT_NEAR(w[1], 1, 0.02) << Name(kind) << " on " << Name(GetParam());
  }
}

TEST_P(OptimizerTest, TheLearningRateMayChangeBetweenSteps) {
  const kernels::Context context = kernels::SoloContext(GetParam(), MathMode::kExact);
  for (const OptimizerKind kind : kernels::kOptimizerKinds) {
    const OptimizerOptions options = {.kind = kind, .learning_rate = 0.1, .weight_decay = 0.1};
    Optimizer optimizer(options, 1);
    EXPECT_EQ(optimizer.learning_rate(), 0.1);
    optimizer.BeginStep();
    const kernels::UpdateStep whole = optimizer.step();
    optimizer.set_steps(0);
    optimizer.set_learning_rate(0.05);
    optimizer.BeginStep();
    EXPECT_FLOAT_EQ(optimizer.step().rate, whole.rate / 2);
    EXPECT_FLOAT_EQ(optimizer.step().keep, 0.995f);
    // So small that it is 0 as a float: the weights stay what they are, and numbers.
    optimizer.set_learning_rate(1e-300);
    std::vector<float> w = {1}, g = {0};
    optimizer.BeginStep();
    kernels::Update(context, kind, optimizer.step(), optimizer.Spans({0, 1}, w, g));
    EXPECT_EQ(w[0], 1);
  }
}

TEST(PowersTest, DependOnNothingButTheirExponent) {
  for (const double base : {0.9, static_cast<double>(0.999f), 0.0}) {
    Powers in_order(base), at_once(base);
    for (int64_t t = 0; t < 2000; ++t) {
      const double power = in_order.At(t);
      EXPECT_NEAR(power, std::pow(base, t), 1e-15 * power) << base << "^" << t;
      if (t % 37 == 5) {
        EXPECT_EQ(at_once.At(t), power) << base << "^" << t;
      }
    }
    EXPECT_EQ(in_order.At(3), std::pow(base, 3)) << "and backwards";
  }
}

TEST(OptimizerStateTest, BelongsToItsParameters) {
  for (const OptimizerKind kind : kernels::kOptimizerKinds) {
    constexpr size_t kCount = 21;
    Optimizer optimizer({.kind = kind}, kCount);
    std::vector<float> w(kCount), g(5);
    EXPECT_GE(optimizer.bytes(), kernels::States(kind) * kCount * sizeof(float));
    const kernels::UpdateSpans all = optimizer.Spans({0, kCount}, w, w);
    const kernels::UpdateSpans part = optimizer.Spans({7, 12}, w, g);
    EXPECT_EQ(part.parameters.data(), w.data() + 7);
    for (size_t k = 0; k < kernels::kMaxStates; ++k) {
      EXPECT_EQ(part.states[k].size(), k < kernels::States(kind) ? 5u : 0u);
      if (k >= kernels::States(kind)) continue;
      EXPECT_EQ(part.states[k].data(), all.states[k].data() + 7);
      for (const float s : all.states[k]) EXPECT_EQ(s, 0);
    }
  }
}

TEST(ValidateTest, NamesTheFirstValueThatMakesNoSense) {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto message = [](const OptimizerOptions& options) {
    const absl::Status status = Validate(options);
    EXPECT_EQ(status.ok(), status.code() != absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_EQ(message({}), "");
  EXPECT_EQ(message({.learning_rate = 10, .weight_decay = 0.09, .beta1 = 0, .beta2 = 0.01}), "");
  EXPECT_EQ(message({.learning_rate = 0}),
            "--learning_rate: expected a number above 0, found 0; 0.001 is usual");
  EXPECT_EQ(message({.learning_rate = -1}),
            "--learning_rate: expected a number above 0, found -1; 0.001 is usual");
  for (const double bad : {inf, nan}) EXPECT_NE(message({.learning_rate = bad}), "");
  for (const double bad : {-0.1, 1000.0, inf, nan}) {
    EXPECT_EQ(message({.weight_decay = bad}).find("--weight_decay: expected a number from 0"), 0u);
  }
  for (const double bad : {-0.1, 1.0, 0.999999999, inf, nan}) {
    EXPECT_EQ(message({.beta1 = bad}).find("--beta1: expected a number in [0, 1)"), 0u);
    EXPECT_EQ(message({.kind = OptimizerKind::kMomentum, .momentum = bad}).find("--momentum: "),
              0u);
  }
  for (const double bad : {-0.1, 0.0, 0.009, 1.0, 0.999999999, inf, nan}) {
    EXPECT_EQ(message({.beta2 = bad}).find("--beta2: expected a number in [0.01, 1)"), 0u);
    EXPECT_EQ(message({.kind = OptimizerKind::kRmsProp, .rho = bad})
                  .find("--rho: expected a number in [0.01, 1)"),
              0u);
  }
  // SGD reads none of these.
  EXPECT_EQ(message({.kind = OptimizerKind::kSgd, .beta1 = 2, .beta2 = 2, .epsilon = 0}), "");
  for (const double bad : {0.0, -1e-8, nan}) {
    EXPECT_EQ(message({.epsilon = bad}).find("--epsilon: expected a number from 1.2e-38"), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(, OptimizerTest, testing::ValuesIn(kernels::SupportedTargets()),
                         kernels::TestName);

}  // namespace
}  // namespace mlp::optim
