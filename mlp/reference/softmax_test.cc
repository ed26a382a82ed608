#include "mlp/reference/softmax.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/reference/gradient_check.h"

namespace mlp::reference {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(SoftmaxTest, ByHand) {
  // e^z = 1, 2, 5 and 3, 3, 2 times e^100.
  const Matrix logits(2, 3,
                      {0, std::log(2), std::log(5),  //
                       100 + std::log(3), 100 + std::log(3), 100 + std::log(2)});
  const std::vector<double> p = {1. / 8, 2. / 8, 5. / 8, 3. / 8, 3. / 8, 2. / 8};
  EXPECT_TRUE(IsClose(Softmax(logits).data, p, 1e-14, 1));
  const Matrix log_p = LogSoftmax(logits);
  for (size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(log_p.data[i], std::log(p[i]), 1e-13);

  EXPECT_NEAR(SoftmaxCrossEntropy(logits, {2, 0}), -(std::log(5. / 8) + std::log(3. / 8)) / 2,
              1e-13);
  EXPECT_TRUE(IsClose(SoftmaxCrossEntropyGradient(logits, {2, 0}).data,
                      {1. / 16, 2. / 16, -3. / 16, -5. / 16, 3. / 16, 2. / 16}, 1e-14, 1));
}

TEST(SoftmaxTest, GradientIsTheCentralDifference) {
  for (int seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Stream stream(seed, Purpose::kTest);
    const size_t batch = 1 + stream.Below(8), classes = 1 + stream.Below(12);
    const Matrix logits = RandomMatrix(batch, classes, stream);
    const std::vector<int> labels = RandomLabels(batch, classes, stream);
    const auto loss = [&](const std::vector<double>& z) {
      return SoftmaxCrossEntropy(Matrix(batch, classes, z), labels);
    };
    EXPECT_TRUE(IsCloseToDifferences(SoftmaxCrossEntropyGradient(logits, labels).data,
                                     CentralDifferences(loss, logits.data)));
  }
}

TEST(SoftmaxTest, ExtremeLogits) {
  const Matrix logits(2, 3, {1e4, -1e4, 0, -1e4, -1e4, -1e4});
  const double third = std::log(3);
  EXPECT_EQ(LogSoftmax(logits).data, (std::vector<double>{0, -2e4, -1e4, -third, -third, -third}));
  EXPECT_EQ(Softmax(logits).data, (std::vector<double>{1, 0, 0, 1. / 3, 1. / 3, 1. / 3}));
  EXPECT_EQ(SoftmaxCrossEntropy(Matrix(1, 2, {1e4, -1e4}), {1}), 2e4);
  EXPECT_EQ(SoftmaxCrossEntropy(Matrix(1, 2, {1e4, -1e4}), {0}), 0);
  EXPECT_EQ(SoftmaxCrossEntropyGradient(Matrix(1, 2, {1e4, -1e4}), {1}).data,
            (std::vector<double>{1, -1}));
}

TEST(SoftmaxTest, MinusInfinityIsAClassOfProbabilityZero) {
  const Matrix logits(1, 3, {-kInfinity, 2, 2});
  EXPECT_EQ(Softmax(logits).data, (std::vector<double>{0, 0.5, 0.5}));
  EXPECT_EQ(LogSoftmax(logits)(0, 0), -kInfinity);
  EXPECT_EQ(LogSoftmax(logits)(0, 1), -std::log(2));
  EXPECT_EQ(SoftmaxCrossEntropy(logits, {0}), kInfinity);
}

TEST(SoftmaxTest, ARowWithoutADistributionIsNanAndLeavesOthersAlone) {
  const Matrix logits(4, 2,
                      {kInfinity, 0,            //
                       -kInfinity, -kInfinity,  //
                       0, std::nan(""),         //
                       1, 1});
  for (const Matrix& result : {Softmax(logits), LogSoftmax(logits)}) {
    for (size_t i = 0; i < 3; ++i) {
      for (size_t j = 0; j < 2; ++j) EXPECT_TRUE(std::isnan(result(i, j))) << i << ", " << j;
    }
  }
  EXPECT_EQ(Softmax(logits)(3, 0), 0.5);
  EXPECT_EQ(LogSoftmax(logits)(3, 0), -std::log(2));
}

TEST(SoftmaxDeathTest, LabelsMustBeClasses) {
  EXPECT_DEATH(SoftmaxCrossEntropy(Matrix(1, 3), {3}), "3 against 3");
  EXPECT_DEATH(SoftmaxCrossEntropy(Matrix(1, 3), {-1}), "-1 against 0");
  EXPECT_DEATH(SoftmaxCrossEntropyGradient(Matrix(2, 3), {0}), "2 against 1");
  EXPECT_DEATH(SoftmaxCrossEntropy(Matrix(0, 3), {}), "0 against 0");
}

}  // namespace
}  // namespace mlp::reference
