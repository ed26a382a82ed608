// The dense layer: one step worked by hand, any shape against the textbook, blocks against the
// whole.
#include "mlp/layers/dense.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/reference/activation.h"
#include "mlp/reference/matmul.h"
#include "mlp/reference/matrix.h"

namespace mlp::layers {
namespace {

using kernels::Activation;
using kernels::IsNear;
using kernels::Padded;

constexpr size_t kShapes[][3] = {{1, 1, 1}, {5, 3, 2}, {7, 784, 10}, {33, 17, 40}, {4, 3, 5000}};

class DenseTest : public testing::TestWithParam<kernels::Target> {
 protected:
  const kernels::Context context_ = kernels::SoloContext(GetParam(), kernels::MathMode::kExact);
};

std::vector<float> RandomParameters(const Dense& dense) {
  Stream stream(1, Purpose::kTest);
  std::vector<float> parameters(dense.parameter_count());
  for (float& p : parameters) p = stream.Uniform(-1, 1);
  return parameters;
}

// x = (1, 2), W = (1 -2 / 3 1), b = (0.5, -1): z = (7.5, -1), y = (7.5, 0). From dL/dy = (2, 4)
// come dz = (2, 0), dx = dz W^T = (2, 6), dW = x^T dz = (2 0 / 4 0), db = dz.
TEST_P(DenseTest, OneStepByHand) {
  const Dense dense(2, 2, Activation::kRelu);
  EXPECT_EQ(dense.parameter_count(), 6u);
  EXPECT_EQ(dense.multiply_adds(), 4u);
  const std::vector<float> parameters = {1, -2, 3, 1, 0.5f, -1};
  std::vector<float> x = {1, 2}, y(2), gradient = {2, 4}, dx(2), dp(6);
  const Tape tape = {Matrix(x.data(), 1, 2), {}, {y.data(), 1, 2}};
  dense.Forward(context_, parameters, tape);
  EXPECT_EQ(y, (std::vector<float>{7.5f, 0}));
  const Matrix dz(gradient.data(), 1, 2);
  dense.BackwardActivation(context_, tape, dz);
  EXPECT_EQ(gradient, (std::vector<float>{2, 0}));
  dense.BackwardInput(context_, parameters, dz, {dx.data(), 1, 2});
  EXPECT_EQ(dx, (std::vector<float>{2, 6}));
  dense.BackwardParameters(context_, tape.x, dz, kernels::Output::kOverwrite, dp);
  EXPECT_EQ(dp, (std::vector<float>{2, 0, 4, 0, 2, 0}));
  dense.BackwardParameters(context_, tape.x, dz, kernels::Output::kAdd, dp);
  EXPECT_EQ(dp, (std::vector<float>{4, 0, 8, 0, 4, 0}));
}

TEST_P(DenseTest, MatchesTheReference) {
  for (const Activation activation : kernels::kActivations) {
    for (const auto& [batch, in, out] : kShapes) {
      SCOPED_TRACE(testing::Message() << Name(GetParam()) << " " << Name(activation)
                                      << " batch=" << batch << " in=" << in << " out=" << out);
      const auto f = reference::ActivationByName(Name(activation)).value();
      const Dense dense(in, out, activation);
      const std::vector<float> parameters = RandomParameters(dense);
      const std::vector<double> p(parameters.begin(), parameters.end());
      const reference::Matrix w(in, out, {p.begin(), p.end() - static_cast<ptrdiff_t>(out)});
      Stream stream(2, Purpose::kTest);
      Padded x(batch, in, stream), z(batch, out, stream), y(batch, out, stream);
      Padded gradient(batch, out, stream), dx(batch, in, stream);
      reference::Matrix dz = gradient.Double();

      const Tape tape = {x.view(), dense.keeps_preactivation() ? z.view() : Matrix(), y.view()};
      dense.Forward(context_, parameters, tape);
      dense.BackwardActivation(context_, tape, gradient.view());
      dense.BackwardInput(context_, parameters, gradient.view(), dx.view());

      const reference::Matrix sums = reference::AddBias(
          reference::MatMul(x.Double(), w), {p.end() - static_cast<ptrdiff_t>(out), p.end()});
      // Sums of `in` products of numbers up to 1, and slopes that are at most about 1 steep.
      const double tolerance = 2 * kernels::kUlp * static_cast<double>(in + 4);
      for (size_t k = 0; k < sums.data.size(); ++k) {
        ASSERT_TRUE(IsNear(y.Double().data[k], reference::Activate(f, sums.data[k]), 0, tolerance));
        dz.data[k] *= reference::Derivative(f, sums.data[k]);
        ASSERT_TRUE(IsNear(gradient.Double().data[k], dz.data[k], 0, tolerance));
        if (k == 100) break;
      }
      const reference::Matrix input_gradient = reference::MatMulTransposedB(gradient.Double(), w);
      const double back_tolerance = 2 * kernels::kUlp * static_cast<double>(out + 1);
      for (size_t k = 0; k < input_gradient.data.size(); ++k) {
        ASSERT_TRUE(IsNear(dx.view()(k / in, k % in), input_gradient.data[k], 0, back_tolerance));
      }
    }
  }
}

TEST_P(DenseTest, BlocksAreTheWholeInPieces) {
  for (const auto& [batch, in, out] : kShapes) {
    const Dense dense(in, out, Activation::kRelu);
    Stream stream(3, Purpose::kTest);
    Padded x(batch, in, stream), dz(batch, out, stream);
    const float unset = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> whole(dense.parameter_count(), unset), pieces = whole;
    dense.BackwardParameters(context_, x.view(), dz.view(), kernels::Output::kOverwrite, whole);
    size_t end = 0, largest = 0;
    for (size_t i = 0; i < dense.block_count(); ++i) {
      const Range block = dense.block(i);
      EXPECT_EQ(block.begin, end) << in << "x" << out << " block " << i;
      EXPECT_FALSE(block.empty()) << in << "x" << out << " block " << i;
      end = block.end;
      largest = std::max(largest, block.size());
      dense.BackwardBlock(context_, i, x.view(), dz.view(),
                          std::span(pieces).subspan(block.begin, block.size()));
    }
    EXPECT_EQ(end, dense.parameter_count());
    EXPECT_EQ(dense.max_block_size(), largest);
    EXPECT_EQ(pieces, whole) << Name(GetParam()) << " " << batch << "x" << in << "x" << out;
    // The gradient of the weights is the textbook's.
    const reference::Matrix dw = reference::MatMulTransposedA(x.Double(), dz.Double());
    const std::vector<double> db = reference::ColumnSums(dz.Double());
    const double tolerance = 2 * kernels::kUlp * static_cast<double>(batch + 1);
    for (size_t k = 0; k < whole.size(); ++k) {
      const double expected = k < in * out ? dw.data[k] : db[k - in * out];
      ASSERT_TRUE(IsNear(whole[k], expected, 0, tolerance)) << in << "x" << out << " at " << k;
    }
  }
}

// The variance that He et al. (rectifiers) and Glorot & Bengio (others) ask for; biases 0.
TEST(DenseInitializationTest, VarianceFollowsTheFan) {
  for (const Activation activation : kernels::kActivations) {
    for (const auto& [in, out] : {std::pair<size_t, size_t>{784, 128}, {100, 400}}) {
      const Dense dense(in, out, activation);
      std::vector<float> parameters(dense.parameter_count(), 1);
      Stream stream(4, Purpose::kInitialization);
      dense.Initialize(stream, parameters);
      double sum = 0, squares = 0;
      for (size_t i = 0; i < in * out; ++i) {
        sum += parameters[i];
        squares += double{parameters[i]} * parameters[i];
      }
      const bool he = activation == Activation::kRelu || activation == Activation::kLeakyRelu ||
                      activation == Activation::kSilu;
      const double n = static_cast<double>(in * out);
      const double variance = 2.0 / static_cast<double>(he ? in : in + out);
      // Five standard errors, of the mean and of the variance of n normal numbers.
      EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(variance / n)) << Name(activation);
      EXPECT_NEAR(squares / n, variance, 5 * variance * std::sqrt(2 / n)) << Name(activation);
      for (size_t i = in * out; i < parameters.size(); ++i) EXPECT_EQ(parameters[i], 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, DenseTest, testing::ValuesIn(kernels::SupportedTargets()),
                         kernels::TestName);

}  // namespace
}  // namespace mlp::layers
