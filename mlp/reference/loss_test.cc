#include "mlp/reference/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "mlp/base/rng.h"
#include "mlp/reference/gradient_check.h"

namespace mlp::reference {
namespace {

TEST(LossTest, ByHand) {
  const Matrix z(2, 1, {0, 2});
  EXPECT_NEAR(LossOf(Loss::kBinaryCrossEntropy, z, {1, 0}),
              (std::log(2) + std::log(1 + std::exp(2))) / 2, 1e-15);
  EXPECT_NEAR(LossOf(Loss::kMeanSquaredError, z, {1, 0}), (1 + 4) / 2.0, 1e-15);
  const Matrix two(1, 2, {3, -1});
  EXPECT_NEAR(LossOf(Loss::kMeanSquaredError, two, {1}), (9 + 4) / 2.0, 1e-15);
  EXPECT_NEAR(LossOf(Loss::kBinaryCrossEntropy, two, {1}),
              (std::log(1 + std::exp(3)) + std::log(1 + std::exp(1))) / 2, 1e-14);
}

TEST(LossTest, NothingOverflows) {
  const Matrix z(2, 1, {1000, -1000});
  EXPECT_EQ(LossOf(Loss::kBinaryCrossEntropy, z, {1, 0}), 0);
  EXPECT_EQ(LossOf(Loss::kBinaryCrossEntropy, z, {0, 1}), 1000);
  EXPECT_EQ(LossGradient(Loss::kBinaryCrossEntropy, z, {0, 1}).data,
            (std::vector<double>{0.5, -0.5}));
}

TEST(LossTest, GradientsAreThoseOfCentralDifferences) {
  for (const Loss loss : kLosses) {
    for (const size_t outputs : {1, 2, 5}) {
      Stream stream(outputs, Purpose::kTest);
      Matrix z(4, outputs);
      for (double& x : z.data) x = stream.Uniform(-3, 3);
      const int classes =
          outputs == 1 && loss != Loss::kSoftmaxCrossEntropy ? 2 : static_cast<int>(outputs);
      std::vector<int> labels;
      for (int i = 0; i < 4; ++i) labels.push_back(i % classes);
      const std::vector<double> differences = CentralDifferences(
          [&](const std::vector<double>& at) {
            return LossOf(loss, Matrix(4, outputs, at), labels);
          },
          z.data);
      EXPECT_TRUE(IsCloseToDifferences(LossGradient(loss, z, labels).data, differences))
          << Name(loss);
    }
  }
}

TEST(LossTest, Classes) {
  EXPECT_EQ(ClassesOf(Loss::kBinaryCrossEntropy, Matrix(3, 1, {-1, 0, 0.1})),
            (std::vector<int>{0, 0, 1}));
  EXPECT_EQ(ClassesOf(Loss::kMeanSquaredError, Matrix(3, 1, {0.4, 0.5, 0.6})),
            (std::vector<int>{0, 0, 1}));
  EXPECT_EQ(ClassesOf(Loss::kMeanSquaredError, Matrix(2, 3, {1, 2, 2, 5, 1, 1})),
            (std::vector<int>{1, 0}));
}

TEST(LossTest, NamesAreReadBack) {
  for (const Loss loss : kLosses) EXPECT_EQ(LossByName(Name(loss)), loss);
  EXPECT_FALSE(LossByName("hinge").has_value());
}

}  // namespace
}  // namespace mlp::reference
