#include "mlp/reference/mlp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/reference/gradient_check.h"

namespace mlp::reference {
namespace {

TEST(MlpTest, ForwardAndLayoutByHand) {
  // Two inputs, two hidden units with relu, two classes.
  const Mlp mlp({2, 2, 2}, {Activation::kRelu, Activation::kIdentity},
                {1, 2, 3, 4,   // W1: from input 0, then from input 1
                 -1, -20,      // b1
                 5, 6, 7, 8,   // W2
                 0.5, -0.5});  // b2
  const Matrix x(2, 2, {1, 2, -4, 9});
  // First row: z1 = {1 + 6 - 1, 2 + 8 - 20} = {6, -10}, h = {6, 0}, logits = {30.5, 35.5}.
  // Second: z1 = {-4 + 27 - 1, -8 + 36 - 20} = {22, 8} = h, logits = {110 + 56.5, 132 + 63.5}.
  EXPECT_EQ(mlp.Forward(x).data, (std::vector<double>{30.5, 35.5, 166.5, 195.5}));
  EXPECT_EQ(mlp.Predict(x), (std::vector<int>{1, 1}));
  EXPECT_NEAR(mlp.Loss(x, {1, 0}), (std::log1p(std::exp(-5)) + 29 + std::log1p(std::exp(-29))) / 2,
              1e-13);
}

TEST(MlpTest, PredictTakesTheFirstOfEquals) {
  const Mlp mlp({1, 3}, {Activation::kIdentity}, {0, 1, 1, 0, 0, 0});
  EXPECT_EQ(mlp.Predict(Matrix(3, 1, {0, 2, -1})), (std::vector<int>{0, 1, 0}));
}

TEST(MlpDeathTest, PartsMustFit) {
  EXPECT_DEATH(Mlp({3}, {}, {}), "1 against 2");
  EXPECT_DEATH(Mlp({1, 1}, {}, {1, 2}), "0 against 1");
  EXPECT_DEATH(Mlp({1, 1}, {Activation::kRelu}, {1}), "1 against 2");
}

class MlpGradientTest : public ::testing::TestWithParam<Activation> {};

// One to four layers; the activation stands in one or more of them, be it the last.
TEST_P(MlpGradientTest, IsTheCentralDifference) {
  for (int seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    Stream stream(seed, Purpose::kTest);
    const size_t num_layers = 1 + stream.Below(4);
    std::vector<size_t> widths = {1 + stream.Below(6)};
    std::vector<Activation> activations;
    for (size_t l = 0; l < num_layers; ++l) {
      widths.push_back(2 + stream.Below(6));
      activations.push_back(stream.Below(2) ? GetParam()
                                            : kActivations[stream.Below(kActivations.size())]);
    }
    activations[stream.Below(num_layers)] = GetParam();
    const size_t batch = 1 + stream.Below(5);
    const Matrix x = RandomMatrix(batch, widths.front(), stream);
    const std::vector<int> labels = RandomLabels(batch, widths.back(), stream);
    const std::vector<double> start = RandomVector(Mlp::NumParameters(widths), stream, 0.7);
    EXPECT_TRUE(IsCloseToDifferences(
        Mlp(widths, activations, start).Gradient(x, labels),
        CentralDifferences(
            [&](const auto& theta) { return Mlp(widths, activations, theta).Loss(x, labels); },
            start)));
  }
}

INSTANTIATE_TEST_SUITE_P(Each, MlpGradientTest, ::testing::ValuesIn(kActivations),
                         [](const auto& info) { return std::string(Name(info.param)); });

TEST(MlpTest, StepReturnsTheLossBeforeItAndClips) {
  const std::vector<double> start = {0.5, -0.25, 0, 0.125};
  const Matrix x(1, 1, {2});
  Mlp mlp({1, 2}, {Activation::kIdentity}, start);
  std::vector<double> clipped = mlp.Gradient(x, {1});
  const double norm = ClipGlobalNorm(0.25, clipped);
  ASSERT_GT(norm, 0.25);
  const double loss = mlp.Loss(x, {1});
  Sgd sgd({.learning_rate = 1});
  EXPECT_EQ(mlp.Step(x, {1}, sgd, 0.25), loss);
  for (size_t i = 0; i < start.size(); ++i) {
    EXPECT_EQ(mlp.parameters()[i], start[i] - clipped[i]);
  }
  EXPECT_LT(mlp.Loss(x, {1}), loss);
}

TEST(MlpTest, LearnsXor) {
  const Matrix x(4, 2, {0, 0, 0, 1, 1, 0, 1, 1});
  const std::vector<int> labels = {0, 1, 1, 0};
  const std::vector<size_t> widths = {2, 8, 2};
  for (int seed = 0; seed < 5; ++seed) {
    Stream stream(seed, Purpose::kTest);
    Mlp mlp(widths, {Activation::kTanh, Activation::kIdentity},
            RandomVector(Mlp::NumParameters(widths), stream));
    Adam adam({.learning_rate = 0.05});
    for (int step = 0; step < 300; ++step) mlp.Step(x, labels, adam);
    EXPECT_EQ(mlp.Predict(x), labels) << "seed " << seed;
    EXPECT_LT(mlp.Loss(x, labels), 0.02) << "seed " << seed;
  }
}

}  // namespace
}  // namespace mlp::reference
