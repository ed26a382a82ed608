#include "mlp/reference/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/reference/gradient_check.h"

namespace mlp::reference {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class ActivationTest : public ::testing::TestWithParam<Activation> {};

TEST_P(ActivationTest, HasOneName) { EXPECT_EQ(ActivationByName(Name(GetParam())), GetParam()); }

TEST_P(ActivationTest, DerivativeIsTheCentralDifference) {
  for (int seed = 0; seed < 200; ++seed) {
    Stream stream(seed, Purpose::kTest);
    const std::vector<double> x = RandomVector(1, stream, 3);
    EXPECT_TRUE(IsCloseToDifferences(
        {Derivative(GetParam(), x[0])},
        CentralDifferences([](const auto& v) { return Activate(GetParam(), v[0]); }, x)))
        << "x = " << x[0];
  }
}

TEST_P(ActivationTest, IsFiniteFarOutAndPassesNanOn) {
  for (const double x : {-1e308, -1e4, -746.0, -0.0, 0.0, 746.0, 1e4, 1e308}) {
    EXPECT_TRUE(std::isfinite(Activate(GetParam(), x))) << x;
    EXPECT_TRUE(std::isfinite(Derivative(GetParam(), x))) << x;
  }
  EXPECT_TRUE(std::isnan(Activate(GetParam(), std::nan(""))));
  EXPECT_TRUE(std::isnan(Derivative(GetParam(), std::nan(""))));
}

INSTANTIATE_TEST_SUITE_P(Each, ActivationTest, ::testing::ValuesIn(kActivations),
                         [](const auto& info) { return std::string(Name(info.param)); });

TEST(ActivationTest, LimitsAtInfinity) {
  struct Limits {
    Activation activation;
    double left, right, derivative_left, derivative_right;
  };
  for (const Limits& limits : {
           Limits{Activation::kIdentity, -kInfinity, kInfinity, 1, 1},
           Limits{Activation::kRelu, 0, kInfinity, 0, 1},
           Limits{Activation::kLeakyRelu, -kInfinity, kInfinity, 0.01, 1},
           Limits{Activation::kSigmoid, 0, 1, 0, 0},
           Limits{Activation::kTanh, -1, 1, 0, 0},
           Limits{Activation::kSilu, 0, kInfinity, 0, 1},
           Limits{Activation::kElu, -1, kInfinity, 0, 1},
           Limits{Activation::kGelu, 0, kInfinity, 0, 1},
           Limits{Activation::kSoftplus, 0, kInfinity, 0, 1},
       }) {
    SCOPED_TRACE(Name(limits.activation));
    EXPECT_EQ(Activate(limits.activation, -kInfinity), limits.left);
    EXPECT_EQ(Activate(limits.activation, kInfinity), limits.right);
    EXPECT_EQ(Derivative(limits.activation, -kInfinity), limits.derivative_left);
    EXPECT_EQ(Derivative(limits.activation, kInfinity), limits.derivative_right);
  }
}

TEST(ActivationTest, KinksTakeTheNegativeSide) {
  EXPECT_EQ(Derivative(Activation::kRelu, 0), 0);
  EXPECT_EQ(Derivative(Activation::kLeakyRelu, 0), 0.01);
}

TEST(ActivationTest, UnknownNames) {
  EXPECT_EQ(ActivationByName(""), std::nullopt);
  EXPECT_EQ(ActivationByName("ReLU"), std::nullopt);
}

}  // namespace
}  // namespace mlp::reference
