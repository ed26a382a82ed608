// Elementwise work on every target of this CPU, at awkward widths and with special values, against
// the textbook.
#include "mlp/kernels/elementwise/elementwise.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/reference/activation.h"

namespace mlp::kernels {
namespace {

constexpr size_t kWidths[] = {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 48, 96, 784};
constexpr size_t kRows = 3;
constexpr MathMode kModes[] = {MathMode::kExact, MathMode::kFast};

reference::Activation Textbook(Activation activation) {
  const auto textbook = reference::ActivationByName(Name(activation));
  EXPECT_TRUE(textbook) << Name(activation) << " is missing in mlp/reference/activation.cc";
  return textbook.value_or(reference::Activation::kIdentity);
}

// No formula to approximate.
bool IsPiecewiseLinear(Activation activation) {
  return activation == Activation::kIdentity || activation == Activation::kRelu ||
         activation == Activation::kLeakyRelu;
}

struct Tolerance {
  double relative;
  double absolute;
};

// 4 ulp, and down where numbers are denormal the smallest that is not; approximated, the bounds of
// math.h put together (e^-87, where the exponential is clamped, times 128 is below 3e-36).
Tolerance OfValue(Activation activation, MathMode math) {
  if (math == MathMode::kExact || IsPiecewiseLinear(activation)) return {4 * kUlp, FLT_MIN};
  if (activation == Activation::kTanh) return {0, 4e-6};
  return {1e-5, 3e-36};
}

// Slopes are at most about 1, and differences of such numbers.
Tolerance OfSlope(Activation activation, MathMode math) {
  const bool exact = math == MathMode::kExact || IsPiecewiseLinear(activation);
  return {0, exact ? 4 * kUlp : 1.2e-5};
}

// Uniform on [-8, 8) with special values strewn in.
Padded Inputs(size_t cols, Stream& stream) {
  constexpr float kSpecial[] = {0,    -0.0f, kInf,   -kInf, kNaN, 1e-40f, -1e-40f, 100,
                                -100, 1e30f, -1e30f, 20,    -20,  1e-6f,  -1e-6f,  1};
  Padded x(kRows, cols, stream, -8, 8);
  for (size_t i = 0; i < kRows; ++i) {
    for (size_t j = 0; j < cols; ++j) {
      if (stream.Below(3) == 0) x.view()(i, j) = kSpecial[stream.Below(std::size(kSpecial))];
    }
  }
  return x;
}

std::string Repro(const Target& target, Activation activation, MathMode math, size_t cols,
                  float x) {
  return "on " + Name(target) + ", " + std::string(Name(activation)) + ", " +
         std::string(Name(math)) + ", cols=" + std::to_string(cols) + ", x=" + std::to_string(x);
}

// The bits of row i, so that NaNs can be compared.
std::vector<uint32_t> Bits(ConstMatrix m, size_t i, size_t begin, size_t n) {
  std::vector<uint32_t> bits(n);
  if (n > 0) std::memcpy(bits.data(), m.row(i) + begin, n * sizeof(float));
  return bits;
}

// f(activation, mode) for each of them.
template <class F>
void ForEach(F f) {
  for (const Activation activation : kActivations) {
    for (const MathMode math : kModes) f(activation, math);
  }
}

class ElementwiseTest : public testing::TestWithParam<Target> {};

TEST_P(ElementwiseTest, ValuesMatchTheReference) {
  ForEach([&](Activation activation, MathMode math) {
    const auto [relative, absolute] = OfValue(activation, math);
    for (const size_t cols : kWidths) {
      Stream stream(1, Purpose::kTest, 0, static_cast<uint32_t>(cols));
      Padded x = Inputs(cols, stream), y(kRows, cols, stream);
      Activate(SoloContext(GetParam(), math), activation, x.view(), y.view());
      EXPECT_TRUE(y.GapsAreUntouched()) << Repro(GetParam(), activation, math, cols, 0);
      for (size_t k = 0; k < kRows * cols; ++k) {
        const float in = x.view()(k / cols, k % cols);
        ASSERT_TRUE(IsNear(y.view()(k / cols, k % cols),
                           reference::Activate(Textbook(activation), in), relative, absolute))
            << Repro(GetParam(), activation, math, cols, in);
      }
    }
  });
}

TEST_P(ElementwiseTest, GradientsMatchTheReference) {
  ForEach([&](Activation activation, MathMode math) {
    const Context context = SoloContext(GetParam(), math);
    for (const size_t cols : kWidths) {
      Stream stream(2, Purpose::kTest, 0, static_cast<uint32_t>(cols));
      Padded x = Inputs(cols, stream), y(kRows, cols, stream);
      Padded dy(kRows, cols, stream, -3, 3), dx(kRows, cols, stream);
      Activate(context, activation, x.view(), y.view());
      // Where the slope follows from y, x may be absent.
      const ConstMatrix input = SlopeFromOutput(activation) ? ConstMatrix() : x.view();
      ActivateBackward(context, activation, input, y.view(), dy.view(), dx.view());
      EXPECT_TRUE(dx.GapsAreUntouched()) << Repro(GetParam(), activation, math, cols, 0);
      for (size_t k = 0; k < kRows * cols; ++k) {
        const size_t i = k / cols, j = k % cols;
        const float in = x.view()(i, j);
        // A comparison decides the slope of these, and no comparison holds for NaN.
        if (std::isnan(in) && IsPiecewiseLinear(activation)) continue;
        const double d = dy.view()(i, j);
        const Tolerance of_slope = OfSlope(activation, math);
        ASSERT_TRUE(IsNear(dx.view()(i, j), reference::Derivative(Textbook(activation), in) * d,
                           2 * kUlp, of_slope.absolute * std::abs(d)))
            << Repro(GetParam(), activation, math, cols, in);
      }
    }
  });
}

TEST_P(ElementwiseTest, ResultsDoNotDependOnThePosition) {
  constexpr size_t kCols = 41;
  ForEach([&](Activation activation, MathMode math) {
    const Context context = SoloContext(GetParam(), math);
    Stream stream(3, Purpose::kTest);
    Padded x = Inputs(kCols, stream), y(kRows, kCols, stream), dy(kRows, kCols, stream);
    Padded dx(kRows, kCols, stream), part(kRows, kCols, stream), dpart(kRows, kCols, stream);
    Activate(context, activation, x.view(), y.view());
    ActivateBackward(context, activation, x.view(), y.view(), dy.view(), dx.view());
    for (size_t begin = 0; begin < kCols; begin += 5) {
      const size_t n = kCols - begin;
      const Matrix some = part.view().Cols(0, n), gradient = dpart.view().Cols(0, n);
      Activate(context, activation, x.view().Cols(begin, n), some);
      ActivateBackward(context, activation, x.view().Cols(begin, n), some, dy.view().Cols(begin, n),
                       gradient);
      for (size_t i = 0; i < kRows; ++i) {
        ASSERT_EQ(Bits(some, i, 0, n), Bits(y.view(), i, begin, n))
            << Repro(GetParam(), activation, math, n, 0);
        ASSERT_EQ(Bits(gradient, i, 0, n), Bits(dx.view(), i, begin, n))
            << Repro(GetParam(), activation, math, n, 0);
      }
    }
  });
}

TEST_P(ElementwiseTest, TeamsOfAnySizeInPlaceGiveTheSameBits) {
  constexpr size_t kCols = 37;
  ForEach([&](Activation activation, MathMode math) {
    std::vector<std::vector<uint32_t>> results;
    for (const int threads : kTeamSizes) {
      Stream stream(4, Purpose::kTest);
      Padded x = Inputs(kCols, stream), y = Inputs(kCols, stream), dy(kRows, kCols, stream);
      for (size_t i = 0; i < kRows; ++i) std::copy_n(x.view().row(i), kCols, y.view().row(i));
      RunTeam(threads, [&](const Worker& worker) {
        const Context context = {&KernelsFor(GetParam()), math, worker};
        Activate(context, activation, y.view(), y.view());
        context.Sync();
        ActivateBackward(context, activation, x.view(), y.view(), dy.view(), dy.view());
      });
      std::vector<uint32_t> bits;
      for (const Matrix& m : {y.view(), dy.view()}) {
        for (size_t i = 0; i < kRows; ++i) {
          for (const uint32_t b : Bits(m, i, 0, kCols)) bits.push_back(b);
        }
      }
      results.push_back(bits);
      ASSERT_EQ(results.back(), results[0])
          << Repro(GetParam(), activation, math, kCols, 0) << ", threads=" << threads;
    }
  });
}

TEST_P(ElementwiseTest, GathersRows) {
  for (const size_t cols : kWidths) {
    Stream stream(5, Purpose::kTest, 0, static_cast<uint32_t>(cols));
    std::vector<uint8_t> pixels(10 * cols);
    for (uint8_t& p : pixels) p = static_cast<uint8_t>(stream.Below(256));
    const std::vector<uint32_t> rows = {9, 0, 3, 3, 7};
    for (const int threads : kTeamSizes) {
      Padded x(rows.size(), cols, stream);
      RunTeam(threads, [&](const Worker& worker) {
        GatherRows({&KernelsFor(GetParam()), MathMode::kFast, worker}, pixels.data(), rows,
                   1.0f / 255, x.view());
      });
      EXPECT_TRUE(x.GapsAreUntouched());
      for (size_t k = 0; k < rows.size() * cols; ++k) {
        const auto pixel = static_cast<float>(pixels[rows[k / cols] * cols + k % cols]);
        ASSERT_EQ(x.view()(k / cols, k % cols), pixel * (1.0f / 255))
            << Name(GetParam()) << " cols=" << cols << " threads=" << threads;
      }
    }
  }
}

TEST_P(ElementwiseTest, GathersRowsOfValuesBitByBit) {
  for (const size_t cols : kWidths) {
    Stream stream(7, Purpose::kTest, 0, static_cast<uint32_t>(cols));
    constexpr float kSpecial[] = {-0.0f, kInf, -kInf, kNaN, 1e-40f, -1e30f};
    std::vector<float> values(10 * cols);
    for (float& x : values) {
      const uint32_t pick = stream.Below(2 * std::size(kSpecial));
      x = pick < std::size(kSpecial) ? kSpecial[pick] : stream.Uniform(-1, 1);
    }
    const ConstMatrix from(values.data(), 10, cols);
    const std::vector<uint32_t> rows = {9, 0, 3, 3, 7};
    for (const int threads : kTeamSizes) {
      Padded x(rows.size(), cols, stream);
      RunTeam(threads, [&](const Worker& worker) {
        GatherRows({&KernelsFor(GetParam()), MathMode::kFast, worker}, values.data(), rows,
                   x.view());
      });
      EXPECT_TRUE(x.GapsAreUntouched());
      for (size_t i = 0; i < rows.size(); ++i) {
        ASSERT_EQ(Bits(x.view(), i, 0, cols), Bits(from, rows[i], 0, cols))
            << Name(GetParam()) << " cols=" << cols << " threads=" << threads;
      }
    }
  }
}

TEST_P(ElementwiseTest, ScalesAndAdds) {
  for (const size_t n : kWidths) {
    for (const int threads : kTeamSizes) {
      Stream stream(6, Purpose::kTest, 0, static_cast<uint32_t>(n));
      std::vector<float> x(n), y(n), expected(n);
      for (size_t i = 0; i < n; ++i) {
        x[i] = stream.Uniform(-1, 1);
        y[i] = stream.Uniform(-1, 1);
        // Rounded once after each operation.
        volatile float product = y[i] * 0.7f;
        expected[i] = product + x[i];
      }
      RunTeam(threads, [&](const Worker& worker) {
        const Context context = {&KernelsFor(GetParam()), MathMode::kFast, worker};
        Scale(context, 0.7f, y);
        context.Sync();
        AddTo(context, x, y);
      });
      ASSERT_EQ(y, expected) << Name(GetParam()) << " n=" << n << " threads=" << threads;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, ElementwiseTest, testing::ValuesIn(SupportedTargets()), TestName);

}  // namespace
}  // namespace mlp::kernels
