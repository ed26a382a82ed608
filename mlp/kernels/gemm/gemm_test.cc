// Every form of product, on every target of this CPU, at awkward shapes, against the textbook.
#include "mlp/kernels/gemm/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/reference/activation.h"
#include "mlp/reference/matmul.h"
#include "mlp/reference/matrix.h"

namespace mlp::kernels {
namespace {

using Shape = std::tuple<size_t, size_t, size_t>;  // m, n, k

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes = {{0, 5, 3}, {5, 0, 3},       {0, 0, 0},    {1, 1, 0},
                               {3, 5, 0}, {128, 128, 784}, {5, 10, 784}, {784, 16, 33}};
  constexpr size_t kSizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 47, 49};
  Stream stream(1, Purpose::kTest);
  const auto pick = [&] { return kSizes[stream.Below(std::size(kSizes))]; };
  for (int i = 0; i < 60; ++i) shapes.emplace_back(pick(), pick(), pick());
  // Beside one and two blocks of depth (of 256 or 272 rows).
  for (const size_t k : {255, 256, 257, 271, 272, 273, 513, 543, 544, 545}) {
    shapes.emplace_back(13, 19, k);
    shapes.emplace_back(3, 32, k);
  }
  return shapes;
}

class GemmTest : public testing::TestWithParam<Target> {
 protected:
  const Context context_ = SoloContext(GetParam(), MathMode::kExact);
};

// |error| of a sum of k products of numbers below 1.
double Tolerance(size_t k) { return 2 * kUlp * (1 + static_cast<double>(k)); }

void ExpectClose(Matrix actual, const reference::Matrix& expected, double tolerance, size_t k) {
  for (size_t i = 0; i < actual.rows(); ++i) {
    for (size_t j = 0; j < actual.cols(); ++j) {
      ASSERT_NEAR(actual(i, j), expected.data[i * actual.cols() + j], tolerance)
          << "m=" << actual.rows() << " n=" << actual.cols() << " k=" << k << " at " << i << ","
          << j;
    }
  }
}

TEST_P(GemmTest, NNMatchesTheReferenceWithBiasAndActivation) {
  for (const auto& [m, n, k] : Shapes()) {
    Stream stream(2, Purpose::kTest);
    Padded a(m, k, stream), b(k, n, stream), bias(1, n, stream), c(m, n, stream);
    const reference::Matrix product = reference::MatMul(a.Double(), b.Double());
    GemmNN(context_, a.view(), b.view(), {}, c.view());
    ExpectClose(c.view(), product, Tolerance(k), k);

    reference::Matrix expected = reference::AddBias(product, bias.Double().data);
    for (double& x : expected.data) x = reference::Activate(reference::Activation::kRelu, x);
    GemmNN(context_, a.view(), b.view(), {bias.view().data(), Activation::kRelu}, c.view());
    ExpectClose(c.view(), expected, Tolerance(k), k);
    EXPECT_TRUE(c.GapsAreUntouched());
  }
}

// With or without a bias, every activation; what each adds to the product's error is an ulp or two.
TEST_P(GemmTest, EveryEpilogueMatchesTheReference) {
  for (const auto& [m, n, k] : {Shape{1, 1, 1}, Shape{13, 33, 17}, Shape{33, 49, 100}}) {
    for (const Activation activation : kActivations) {
      const auto textbook = reference::ActivationByName(Name(activation)).value();
      for (const bool with_bias : {false, true}) {
        Stream stream(6, Purpose::kTest);
        Padded a(m, k, stream), b(k, n, stream), bias(1, n, stream), c(m, n, stream);
        reference::Matrix expected = reference::MatMul(a.Double(), b.Double());
        if (with_bias) expected = reference::AddBias(expected, bias.Double().data);
        for (double& x : expected.data) x = reference::Activate(textbook, x);
        GemmNN(context_, a.view(), b.view(), {with_bias ? bias.view().data() : nullptr, activation},
               c.view());
        // Slopes are below 1.1.
        ExpectClose(c.view(), expected, 1.1 * Tolerance(k) + 8 * kUlp, k);
        EXPECT_TRUE(c.GapsAreUntouched());
      }
    }
  }
}

TEST_P(GemmTest, NTMatchesTheReference) {
  for (const auto& [m, n, k] : Shapes()) {
    Stream stream(3, Purpose::kTest);
    Padded a(m, k, stream), b(n, k, stream), c(m, n, stream);
    GemmNT(context_, a.view(), b.view(), c.view());
    ExpectClose(c.view(), reference::MatMulTransposedB(a.Double(), b.Double()), Tolerance(k), k);
    EXPECT_TRUE(c.GapsAreUntouched());
  }
}

TEST_P(GemmTest, TNMatchesTheReferenceAndAdds) {
  for (const auto& [m, n, k] : Shapes()) {
    Stream stream(4, Purpose::kTest);
    Padded a(k, m, stream), b(k, n, stream), c(m, n, stream);
    reference::Matrix expected = reference::MatMulTransposedA(a.Double(), b.Double());
    GemmTN(context_, a.view(), b.view(), Output::kOverwrite, c.view());
    ExpectClose(c.view(), expected, Tolerance(k), k);

    Padded sum(m, n, stream);
    const reference::Matrix before = sum.Double();
    for (size_t i = 0; i < expected.data.size(); ++i) expected.data[i] += before.data[i];
    GemmTN(context_, a.view(), b.view(), Output::kAdd, sum.view());
    ExpectClose(sum.view(), expected, Tolerance(k), k);
    EXPECT_TRUE(sum.GapsAreUntouched());
  }
}

TEST_P(GemmTest, BitsDoNotDependOnTheNumberOfWorkers) {
  for (const Shape& shape : {Shape{128, 128, 100}, Shape{129, 130, 33}, Shape{300, 10, 64}}) {
    // Not structured bindings: clang 14 cannot capture them.
    const size_t m = std::get<0>(shape), n = std::get<1>(shape), k = std::get<2>(shape);
    Stream stream(5, Purpose::kTest);
    Padded a(m, k, stream), b(k, n, stream), bt(n, k, stream), at(k, m, stream);
    std::vector<std::vector<float>> results;
    for (const int threads : kTeamSizes) {
      std::vector<float> c(3 * m * n);
      RunTeam(threads, [&](const Worker& worker) {
        const Context context = {context_.kernels, context_.math, worker};
        GemmNN(context, a.view(), b.view(), {}, {c.data(), m, n});
        GemmNT(context, a.view(), bt.view(), {c.data() + m * n, m, n});
        GemmTN(context, at.view(), b.view(), Output::kOverwrite, {c.data() + 2 * m * n, m, n});
      });
      results.push_back(c);
    }
    for (const std::vector<float>& result : results) EXPECT_EQ(result, results[0]);
  }
}

TEST_P(GemmTest, CarriesInfinitiesAndNaNs) {
  float a[] = {kInf, kNaN, 0, 1};
  float b[] = {1, 1, 2, 2};
  float c[4];
  GemmNN(context_, {a, 2, 2}, {b, 2, 2}, {}, {c, 2, 2});
  EXPECT_TRUE(std::isnan(c[0]) && std::isnan(c[1]));
  EXPECT_EQ(c[2], 2.0f);
  float d[] = {kInf, 1};
  GemmNN(context_, {d, 1, 2}, {b, 2, 2}, {}, {c, 1, 2});
  EXPECT_EQ(c[0], kInf);
}

// Kept or flushed to 0, as the thread has it; never anything else.
TEST_P(GemmTest, TakesDenormalsAndNegativeZeros) {
  constexpr size_t kSize = 19;
  for (const bool flush : {false, true}) {
    std::vector<float> a(kSize * kSize), b(kSize * kSize, 0.0f), c(kSize * kSize);
    for (size_t i = 0; i < a.size(); ++i)
      a[i] = (i % 2 == 0 ? 1 : -1) * (i % 3 == 0 ? 0.0f : 1e-40f);
    for (size_t i = 0; i < kSize; ++i) b[i * kSize + i] = 1;
    const auto check = [&](const char* form) {
      for (size_t i = 0; i < c.size(); ++i) {
        ASSERT_NEAR(c[i], flush ? 0 : a[i], flush ? 1e-40 : 0) << form << " at " << i;
      }
    };
    const auto multiply = [&](const Worker& worker) {
      const Context context = {context_.kernels, context_.math, worker};
      const ConstMatrix left = {a.data(), kSize, kSize}, one = {b.data(), kSize, kSize};
      GemmNN(context, left, one, {}, {c.data(), kSize, kSize});
      check("NN");
      GemmNT(context, left, one, {c.data(), kSize, kSize});
      check("NT");
      // The product's left factor is transposed: that is the unit matrix.
      GemmTN(context, one, left, Output::kOverwrite, {c.data(), kSize, kSize});
      check("TN");
    };
    // A team's threads flush denormals.
    if (flush) {
      RunTeam(1, multiply);
    } else {
      multiply(Worker());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, GemmTest, testing::ValuesIn(SupportedTargets()), TestName);

}  // namespace
}  // namespace mlp::kernels
