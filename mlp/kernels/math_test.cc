// The bounds that math.h states, measured: densely for one number at a time, and through the public
// kernels for the vectors of every target.
#include "mlp/kernels/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/softmax/kernels.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {
namespace {

constexpr size_t kSamples = 200'000;
constexpr size_t kDense = 2'000'000;

// n numbers over [low, high], evenly, both ends included.
std::vector<float> Grid(double low, double high, size_t n = kSamples) {
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i) {
    x[i] = static_cast<float>(low +
                              (high - low) * static_cast<double>(i) / static_cast<double>(n - 1));
  }
  return x;
}

// n numbers whose logarithms are uniform on [log low, log high).
std::vector<float> Magnitudes(double low, double high, size_t n = kSamples) {
  Stream stream(1, Purpose::kTest);
  std::vector<float> x(n);
  for (float& v : x) {
    v = static_cast<float>(std::exp(std::log(low) + std::log(high / low) * stream.Uniform()));
  }
  return x;
}

struct Errors {
  double relative = 0;
  double absolute = 0;
};

// The largest errors of actual[i] against exact(x[i]).
Errors LargestErrors(const std::vector<float>& x, const std::vector<float>& actual,
                     const std::function<double(double)>& exact) {
  Errors largest;
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = exact(x[i]);
    const double error = std::abs(actual[i] - expected);
    // Not std::max, which drops NaN.
    if (!(error <= largest.absolute)) largest.absolute = error;
    if (!(error <= largest.relative * std::abs(expected))) {
      largest.relative = error / std::abs(expected);
    }
  }
  return largest;
}

template <class F>
std::vector<float> Transform(const std::vector<float>& x, F f) {
  std::vector<float> y(x.size());
  std::transform(x.begin(), x.end(), y.begin(), f);
  return y;
}

class MathTest : public testing::TestWithParam<Target> {
 protected:
  std::vector<float> Exp(MathMode math, const std::vector<float>& x) {
    std::vector<float> y(x.size());
    kernels_.softmax->exp(math, x.size(), 0, x.data(), y.data());
    return y;
  }
  std::vector<float> Tanh(MathMode math, const std::vector<float>& x) {
    std::vector<float> y(x.size());
    Activate(SoloContext(GetParam(), math), Activation::kTanh, {x.data(), 1, x.size()},
             {y.data(), 1, y.size()});
    return y;
  }
  // a / (sqrt(b) * scale + epsilon), by an update of weights that are 0, with constants that make
  // a the first moment and keep b as the second.
  std::vector<float> DivideByRoot(MathMode math, const std::vector<float>& a, std::vector<float> b,
                                  float scale, float epsilon) {
    const UpdateStep step = {
        .rate = -1, .beta1 = 0, .beta2 = 1, .root_scale = scale, .epsilon = epsilon};
    std::vector<float> w(a.size()), m(a.size());
    Update(SoloContext(GetParam(), math), OptimizerKind::kAdam, step, {w, a, {m, b}});
    return w;
  }

  const KernelSet& kernels_ = KernelsFor(GetParam());
};

TEST_P(MathTest, Exp) {
  const auto exact = [](double x) { return std::exp(x); };
  const std::vector<float> x = Grid(-87, 88);
  EXPECT_LT(LargestErrors(x, Exp(MathMode::kFast, x), exact).relative, 8e-6);
  EXPECT_LT(LargestErrors(x, Exp(MathMode::kExact, x), exact).relative, 3 * kUlp);
  const std::vector<float> near = Grid(-10, 10);
  EXPECT_LT(LargestErrors(near, Exp(MathMode::kFast, near), exact).relative, 4e-6);
}

TEST_P(MathTest, ExpOutsideItsRange) {
  for (const MathMode math : {MathMode::kFast, MathMode::kExact}) {
    // A whole vector of each, and a part of one.
    for (const size_t n : {1, 16}) {
      const auto at = [&](float x) { return Exp(math, std::vector<float>(n, x))[0]; };
      EXPECT_EQ(at(0), 1);
      EXPECT_LE(at(-200), 2e-38);
      EXPECT_LE(at(-kInf), 2e-38);
      EXPECT_GE(at(kInf), 1.6e38);
      EXPECT_TRUE(std::isnan(at(kNaN))) << Name(math) << " n=" << n;
    }
  }
}

TEST_P(MathTest, Tanh) {
  const auto exact = [](double x) { return std::tanh(x); };
  for (const std::vector<float>& x : {Grid(-10, 10), Magnitudes(1e-10, 1e10)}) {
    EXPECT_LT(LargestErrors(x, Tanh(MathMode::kFast, x), exact).absolute, 4e-6);
    EXPECT_LT(LargestErrors(x, Tanh(MathMode::kExact, x), exact).relative, 2.5 * kUlp);
  }
}

TEST_P(MathTest, Divide) {
  const std::vector<float> a = Grid(-3, 3, 64);
  const std::vector<float> zero(a.size());
  for (const float b : Magnitudes(1e-30, 1e30, 5000)) {
    const auto exact = [b](double x) { return x / b; };
    const auto quotient = [&](MathMode math) { return DivideByRoot(math, a, zero, 0, b); };
    ASSERT_LT(LargestErrors(a, quotient(MathMode::kFast), exact).relative, 1e-6) << b;
    ASSERT_LT(LargestErrors(a, quotient(MathMode::kExact), exact).relative, kUlp) << b;
  }
}

TEST_P(MathTest, DivideByRoot) {
  const std::vector<float> b = Magnitudes(1e-36, 1e36);
  for (const float scale : {1.0f, 31.6f}) {
    for (const float epsilon : {1e-8f, 1e-3f}) {
      const auto exact = [&](double x) { return 2 / (std::sqrt(x) * scale + epsilon); };
      const auto quotient = [&](MathMode math) {
        return DivideByRoot(math, std::vector<float>(b.size(), 2), b, scale, epsilon);
      };
      EXPECT_LT(LargestErrors(b, quotient(MathMode::kFast), exact).relative, 2e-6);
      EXPECT_LT(LargestErrors(b, quotient(MathMode::kExact), exact).relative, 2 * kUlp);
      // Below the smallest number whose root is estimated, epsilon rules.
      const std::vector<float> tiny = {0, 1e-45f, 1e-40f, 1e-38f, 9e-37f, 0, 0, 0, 0};
      const std::vector<float> ones(tiny.size(), 1);
      for (const float q : DivideByRoot(MathMode::kFast, ones, tiny, scale, epsilon)) {
        EXPECT_TRUE(IsNear(q, 1.0 / epsilon, 2e-6, 0));
      }
    }
  }
}

// The formulas on plain numbers, whose estimates are exact.
TEST(ScalarMathTest, FastFormulasKeepTheirBounds) {
  const auto exp = [](double x) { return std::exp(x); };
  const auto tanh = [](double x) { return std::tanh(x); };
  for (const auto& [x, bound] :
       {std::pair{Grid(-87, 88, kDense), 8e-6}, {Grid(-10, 10, kDense), 4e-6}}) {
    EXPECT_LT(LargestErrors(x, Transform(x, FastMath::Exp<float>), exp).relative, bound);
  }
  const std::vector<float> x = Grid(-12, 12, kDense);
  EXPECT_LT(LargestErrors(x, Transform(x, FastMath::Tanh<float>), tanh).absolute, 4e-6);
  EXPECT_TRUE(std::isnan(FastMath::Exp(kNaN)));
  EXPECT_TRUE(std::isnan(FastMath::Tanh(kNaN)));
  EXPECT_EQ(FastMath::Tanh(kInf), 1);
  EXPECT_NEAR(FastMath::Tanh(-kInf), -1, 4e-6);
}

INSTANTIATE_TEST_SUITE_P(, MathTest, testing::ValuesIn(SupportedTargets()), TestName);

}  // namespace
}  // namespace mlp::kernels
