#include "mlp/reference/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mlp::reference {
namespace {

constexpr double kRounding = 1e-15;

TEST(SgdTest, ByHand) {
  Sgd sgd({.learning_rate = 0.5});
  std::vector<double> theta = {1, -2};
  sgd.Step({0.5, 4}, theta);
  EXPECT_EQ(theta, (std::vector<double>{1 - 0.5 * 0.5, -2 - 0.5 * 4}));  // 0.75, -4
  sgd.Step({-1, 0}, theta);
  EXPECT_EQ(theta, (std::vector<double>{0.75 + 0.5 * 1, -4}));
}

TEST(SgdTest, DecayByHand) {
  Sgd sgd({.learning_rate = 0.5, .weight_decay = 0.25});
  std::vector<double> theta = {8};
  sgd.Step({2}, theta);
  EXPECT_EQ(theta[0], 8 - 0.5 * 2 - 0.5 * 0.25 * 8);  // 6
  sgd.Step({0}, theta);
  EXPECT_EQ(theta[0], 6 - 0.5 * 0.25 * 6);
}

TEST(MomentumTest, ByHand) {
  Momentum momentum({.learning_rate = 0.5, .momentum = 0.25, .weight_decay = 0.125});
  std::vector<double> theta = {8, -2};
  momentum.Step({2, 0}, theta);
  // u = 2, and 0.5 * 0.125 of what was.
  EXPECT_EQ(theta, (std::vector<double>{8 - 1 - 0.5, -2 + 0.125}));
  momentum.Step({-1, 0}, theta);
  // u = 0.25 * 2 - 1 = -0.5: decay is no part of it.
  EXPECT_EQ(theta, (std::vector<double>{6.5 + 0.25 - 6.5 / 16, -1.875 + 1.875 / 16}));
}

// An epsilon of 0.5 shows where it stands: outside the root.
TEST(RmsPropTest, ByHand) {
  RmsProp rmsprop({.learning_rate = 0.1, .rho = 0.75, .epsilon = 0.5, .weight_decay = 0.5});
  std::vector<double> theta = {1};
  rmsprop.Step({1}, theta);
  // v = 0.25: 1 / (0.5 + 0.5), and a twentieth of what was.
  EXPECT_NEAR(theta[0], 1 - 0.1 - 0.05, kRounding);
  rmsprop.Step({-2}, theta);
  // v = 0.75 * 0.25 + 0.25 * 4 = 1.1875.
  EXPECT_NEAR(theta[0], 0.85 * 0.95 + 0.2 / (std::sqrt(1.1875) + 0.5), kRounding);
}

// Three steps with the gradients 0.5, -1, 2. An epsilon of 0.5 shows where it stands: outside the
// root, beside the corrected second moment.
TEST(AdamTest, ByHand) {
  Adam adam({.learning_rate = 0.1, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 0.5});
  std::vector<double> theta = {1};
  double expected = 1;

  adam.Step({0.5}, theta);
  // m = 0.1 * 0.5, v = 0.01 * 0.25; corrected 0.05 / 0.1 = 0.5 and 0.0025 / 0.01 = 0.25.
  expected -= 0.1 * 0.5 / (0.5 + 0.5);
  EXPECT_NEAR(expected, 0.95, kRounding);
  EXPECT_NEAR(theta[0], expected, kRounding);
  EXPECT_NEAR(adam.first_moment()[0], 0.05, kRounding);
  EXPECT_NEAR(adam.second_moment()[0], 0.0025, kRounding);

  adam.Step({-1}, theta);
  // m = 0.9 * 0.05 - 0.1 * 1 = -0.055, v = 0.99 * 0.0025 + 0.01 * 1 = 0.012475;
  // 1 - 0.9^2 = 0.19, 1 - 0.99^2 = 0.0199.
  expected -= 0.1 * (-0.055 / 0.19) / (std::sqrt(0.012475 / 0.0199) + 0.5);
  EXPECT_NEAR(theta[0], expected, kRounding);
  EXPECT_NEAR(adam.first_moment()[0], -0.055, kRounding);
  EXPECT_NEAR(adam.second_moment()[0], 0.012475, kRounding);

  adam.Step({2}, theta);
  // m = 0.9 * -0.055 + 0.1 * 2 = 0.1505, v = 0.99 * 0.012475 + 0.01 * 4 = 0.05235025;
  // 1 - 0.9^3 = 0.271, 1 - 0.99^3 = 0.029701.
  expected -= 0.1 * (0.1505 / 0.271) / (std::sqrt(0.05235025 / 0.029701) + 0.5);
  EXPECT_NEAR(theta[0], expected, kRounding);
  EXPECT_NEAR(adam.first_moment()[0], 0.1505, kRounding);
  EXPECT_NEAR(adam.second_moment()[0], 0.05235025, kRounding);
  EXPECT_EQ(adam.steps(), 3);
}

TEST(AdamTest, DecayStaysOutOfTheMoments) {
  Adam adam({.learning_rate = 0.1, .weight_decay = 0.5});
  std::vector<double> theta = {4, -2};
  adam.Step({0, 0}, theta);
  adam.Step({0, 0}, theta);
  // No gradient: nothing but two decays of 0.1 * 0.5.
  EXPECT_NEAR(theta[0], 4 * 0.95 * 0.95, kRounding);
  EXPECT_NEAR(theta[1], -2 * 0.95 * 0.95, kRounding);
  EXPECT_EQ(adam.first_moment(), (std::vector<double>{0, 0}));
  EXPECT_EQ(adam.second_moment(), (std::vector<double>{0, 0}));

  // With one: the step without decay, and the decay of the parameter before it.
  Adam with({.learning_rate = 0.1, .weight_decay = 0.5}), without({.learning_rate = 0.1});
  std::vector<double> a = {4}, b = {4};
  with.Step({3}, a);
  without.Step({3}, b);
  EXPECT_NEAR(a[0], b[0] - 0.1 * 0.5 * 4, kRounding);
}

// The first step is learning_rate in size whatever the gradient's scale: m^ / sqrt(v^) = sign(g).
TEST(AdamTest, FirstStepIsTheLearningRate) {
  for (const double g : {1e-3, -1.0, 1e6}) {
    Adam adam({.learning_rate = 0.25, .epsilon = 0});
    std::vector<double> theta = {0};
    adam.Step({g}, theta);
    EXPECT_NEAR(theta[0], g > 0 ? -0.25 : 0.25, kRounding) << g;
  }
}

TEST(ClipGlobalNormTest, ScalesWhatIsLongerAndReturnsTheNormBefore) {
  std::vector<double> gradient = {3, 0, -4};
  EXPECT_EQ(ClipGlobalNorm(5, gradient), 5);
  EXPECT_EQ(gradient, (std::vector<double>{3, 0, -4}));
  EXPECT_EQ(ClipGlobalNorm(2.5, gradient), 5);
  EXPECT_EQ(gradient, (std::vector<double>{1.5, 0, -2}));
  std::vector<double> zero = {0, 0};
  EXPECT_EQ(ClipGlobalNorm(1, zero), 0);
  EXPECT_EQ(zero, (std::vector<double>{0, 0}));
}

TEST(ClipGlobalNormTest, DoesNotHideNan) {
  std::vector<double> gradient = {3, std::nan("")};
  EXPECT_TRUE(std::isnan(ClipGlobalNorm(1, gradient)));
  EXPECT_EQ(gradient[0], 3);
  EXPECT_TRUE(std::isnan(gradient[1]));
}

TEST(OptimizerDeathTest, OneOptimizerServesOneVector) {
  std::vector<double> two = {1, 2}, three = {1, 2, 3};
  EXPECT_DEATH(Sgd({}).Step(three, two), "3 against 2");
  Adam adam({});
  adam.Step(two, two);
  EXPECT_DEATH(adam.Step(three, three), "2 against 3");
  Momentum momentum({});
  momentum.Step(two, two);
  EXPECT_DEATH(momentum.Step(three, three), "2 against 3");
  RmsProp rmsprop({});
  rmsprop.Step(two, two);
  EXPECT_DEATH(rmsprop.Step(three, three), "2 against 3");
  EXPECT_DEATH(ClipGlobalNorm(0, two), "0 against 0");
}

// f = 1/2 sum of c_i (theta_i - i)^2. Gradient descent shrinks each error by 1 - alpha c_i a step.
TEST(ConvergenceTest, Quadratic) {
  const std::vector<double> curvature = {1, 2, 4}, start = {5, -3, 1};
  const auto gradient = [&](const std::vector<double>& theta) {
    std::vector<double> g(theta.size());
    for (size_t i = 0; i < g.size(); ++i) g[i] = curvature[i] * (theta[i] - static_cast<double>(i));
    return g;
  };
  Sgd sgd({.learning_rate = 0.1});
  std::vector<double> theta = start;
  for (int step = 0; step < 20; ++step) sgd.Step(gradient(theta), theta);
  for (size_t i = 0; i < theta.size(); ++i) {
    EXPECT_NEAR(theta[i] - i, std::pow(1 - 0.1 * curvature[i], 20) * (start[i] - i), 1e-12);
  }

  Adam adam({.learning_rate = 0.05});
  theta = start;
  for (int step = 0; step < 2000; ++step) adam.Step(gradient(theta), theta);
  for (size_t i = 0; i < theta.size(); ++i) EXPECT_NEAR(theta[i], i, 1e-6);
}

// Rosenbrock, "An automatic method for finding the greatest or least value of a function", 1960:
// f = (1 - a)^2 + 100 (b - a^2)^2, a curved valley from the usual start (-1.2, 1) to (1, 1).
void ExpectToSolveRosenbrock(Optimizer& optimizer, int steps) {
  std::vector<double> theta = {-1.2, 1};
  for (int step = 0; step < steps; ++step) {
    const double a = theta[0], b = theta[1];
    optimizer.Step({-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)}, theta);
  }
  EXPECT_NEAR(theta[0], 1, 1e-3);
  EXPECT_NEAR(theta[1], 1, 1e-3);
}

TEST(ConvergenceTest, RosenbrockBySgd) {
  Sgd sgd({.learning_rate = 1e-3});
  ExpectToSolveRosenbrock(sgd, 30000);
}

TEST(ConvergenceTest, RosenbrockByAdam) {
  Adam adam({.learning_rate = 1e-2});
  ExpectToSolveRosenbrock(adam, 10000);
}

}  // namespace
}  // namespace mlp::reference
