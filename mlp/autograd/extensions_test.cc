// What builds on tapes: duals, dot nodes, and checks of gradients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "mlp/autograd/checkpoint.h"
#include "mlp/autograd/dot.h"
#include "mlp/autograd/dual.h"
#include "mlp/autograd/grad_check.h"
#include "mlp/autograd/tape.h"
#include "mlp/autograd/testing.h"

namespace mlp::autograd {
namespace {

using ::testing::HasSubstr;
using V = Value<double>;

TEST(GradCheck, AcceptsWhatIsRight) {
  const std::vector<double> x = {0.75, 1.25, 0.625, 1.375, 0.8};
  const GradCheckResult result = GradCheck(kEverything, x);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_LT(result.largest_error, 1e-7);
}

TEST(GradCheck, NamesWhatIsWrong) {
  // A derivative that is lost: the number is taken out of its value.
  const auto wrong = [](std::span<const V> x) { return x[0] * x[0] + x[1].value() * x[1]; };
  const GradCheckResult result = GradCheck(wrong, std::vector<double>{1, 3});
  EXPECT_EQ(result.at, 1u);
  EXPECT_DOUBLE_EQ(result.gradient, 3);
  EXPECT_NEAR(result.difference, 6, 1e-6);
  EXPECT_THAT(std::string(result.status.message()),
              HasSubstr("input 1 of 2 (3): the gradient is 3"));
  const auto nan = [](std::span<const V> x) { return log(x[0]); };
  EXPECT_FALSE(GradCheck(nan, std::vector<double>{-1}).status.ok());
}

// No error is larger than one that is no number: a step to the left leaves the logarithm's domain.
TEST(GradCheck, KeepsANaN) {
  const auto f = [](std::span<const V> x) {
    return x[0].value() * x[0] + log(x[1]) + x[2].value() * x[2];
  };
  const GradCheckResult result = GradCheck(f, std::vector<double>{3, 1e-9, 3});
  EXPECT_TRUE(std::isnan(result.largest_error));
  EXPECT_EQ(result.at, 1u);
  EXPECT_THAT(std::string(result.status.message()), HasSubstr("input 1 of 3"));
}

// f = x0^2 x1 + x1^3 has the Hessian [2 x1, 2 x0; 2 x0, 6 x1].
TEST(Dual, HessianOfAPolynomial) {
  const auto f = [](auto x) { return x[0] * x[0] * x[1] + pow(x[1], 3); };
  const HessianProduct h =
      HessianVectorProduct(f, std::vector<double>{2, 5}, std::vector<double>{1, -1});
  EXPECT_DOUBLE_EQ(h.value, 20 + 125);
  EXPECT_DOUBLE_EQ(h.gradient[0], 20);
  EXPECT_DOUBLE_EQ(h.gradient[1], 4 + 75);
  EXPECT_DOUBLE_EQ(h.product[0], 10 - 4);
  EXPECT_DOUBLE_EQ(h.product[1], 4 - 30);
}

TEST(Dual, HessianProductIsTheDifferenceOfGradients) {
  const std::vector<double> x = {0.75, 1.25, 0.625, 1.375, 0.8};
  const std::vector<double> v = {0.5, -1, 0.25, 2, 1};
  const HessianProduct h = HessianVectorProduct(kEverything, x, v);
  const auto gradient = [&](double step) {
    Tape<double> tape;
    std::vector<V> at;
    for (size_t i = 0; i < x.size(); ++i) at.emplace_back(x[i] + step * v[i]);
    tape.Backward(kEverything(std::span<const V>(at)));
    std::vector<double> g;
    for (const V& a : at) g.push_back(a.gradient());
    return g;
  };
  constexpr double kStep = 1e-5;
  const std::vector<double> right = gradient(kStep), left = gradient(-kStep), g = gradient(0);
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(h.gradient[i], g[i], 1e-13);
    EXPECT_NEAR(h.product[i], (right[i] - left[i]) / (2 * kStep), 1e-7);
  }
}

// Where their formulas have two sides, smooth functions have all their derivatives.
TEST(Dual, SecondDerivativesWhereFormulasMeet) {
  const auto second = [](auto f, double x) {
    return HessianVectorProduct(f, std::vector<double>{x}, std::vector<double>{1}).product[0];
  };
  const auto square_of_sigmoid = [](auto x) {
    const auto y = sigmoid(x[0]);
    return y * y;
  };
  EXPECT_DOUBLE_EQ(second([](auto x) { return softplus(x[0]); }, 0), 0.25);
  EXPECT_DOUBLE_EQ(second([](auto x) { return silu(x[0]); }, 0), 0.5);
  EXPECT_DOUBLE_EQ(second(square_of_sigmoid, 0), 0.125);
  EXPECT_DOUBLE_EQ(second([](auto x) { return sigmoid(x[0]); }, 0), 0);
  EXPECT_DOUBLE_EQ(second([](auto x) { return gelu(x[0]); }, 0), std::sqrt(2 / M_PI));
  EXPECT_DOUBLE_EQ(second([](auto x) { return tanh(x[0]) * x[0]; }, 0), 2);
  EXPECT_DOUBLE_EQ(second([](auto x) { return pow(x[0], 0); }, 0), 0);
  EXPECT_DOUBLE_EQ(second([](auto x) { return pow(x[0], 2); }, 0), 2);
  for (const double x : {-1e-9, 1e-9}) {
    EXPECT_NEAR(second([](auto x) { return softplus(x[0]); }, x), 0.25, 1e-8);
    EXPECT_NEAR(second([](auto x) { return silu(x[0]); }, x), 0.5, 1e-8);
  }
}

TEST(Dual, PowersNearAnExponentOfZero) {
  const auto f = [](auto x) { return pow(x[0], x[1]); };
  const auto product = [&](double a, double b, double da, double db) {
    return HessianVectorProduct(f, std::vector<double>{a, b}, std::vector<double>{da, db}).product;
  };
  // d2/(da db) = a^(b-1) (1 + b log a), d2/db2 = a^b (log a)^2.
  EXPECT_DOUBLE_EQ(product(2, 0, 0, 1)[0], 0.5);
  EXPECT_DOUBLE_EQ(product(2, 0, 0, 1)[1], std::log(2) * std::log(2));
  EXPECT_DOUBLE_EQ(product(2, 0, 1, 0)[0], 0);
  EXPECT_DOUBLE_EQ(product(2, 0, 1, 0)[1], 0.5);
  Tape<double> tape;
  const V zero = 0.0, exponent = 0.0;
  tape.Backward(pow(zero, exponent));
  EXPECT_EQ(zero.gradient(), 0);
  EXPECT_EQ(exponent.gradient(), 0);
}

TEST(DotNode, IsTheSum) {
  Tape<double> tape;
  std::vector<double> w(100), x(100);
  for (int i = 0; i < 100; ++i) {
    w[i] = 0.01 * i;
    x[i] = 1.0 / (i + 1);
  }
  const Leaves<double> weights = tape.Parameters(w);
  const Leaves<double> inputs = tape.Inputs(x);
  std::vector<V> hidden;
  for (int i = 0; i < 100; ++i) hidden.push_back(tanh(inputs[i]));
  const V bias = 0.5;
  const V direct = dot(bias, weights, inputs);
  const V layered = dot(direct, weights, std::span<const V>(hidden));
  std::swap(hidden[3], hidden[7]);  // No longer consecutive.
  const V scattered = dot(bias, weights, std::span<const V>(hidden));
  EXPECT_EQ(dot(bias, Leaves<double>(), Leaves<double>()).value(), 0.5);
  double expected = 0.5;
  for (int i = 0; i < 100; ++i) expected += w[i] * x[i];
  EXPECT_NEAR(direct.value(), expected, 1e-13);
  tape.Backward(layered + scattered);
  for (const int i : {0, 3, 50, 99}) {
    const int other = i == 3 ? 7 : i;
    EXPECT_NEAR(tape.gradients()[i], x[i] + std::tanh(x[i]) + std::tanh(x[other]), 1e-13);
  }
  EXPECT_EQ(bias.gradient(), 2);

  const size_t before = tape.records();
  const V plain = dot(weights, inputs);
  const V spans = dot(std::span<const V>(hidden).last(50), std::span<const V>(hidden).last(50));
  EXPECT_EQ(tape.records() - before, 2u);
  const V mixed = dot(weights.Part(50, 50), std::span<const V>(hidden).last(50));
  const V none = dot(std::span<const V>(), std::span<const V>());
  EXPECT_NEAR(plain.value(), expected - 0.5, 1e-13);
  EXPECT_EQ(none.value(), 0);
  double squares = 0, products = 0;
  for (int i = 50; i < 100; ++i) {
    squares += std::tanh(x[i]) * std::tanh(x[i]);
    products += w[i] * std::tanh(x[i]);
  }
  EXPECT_NEAR(spans.value(), squares, 1e-13);
  EXPECT_NEAR(mixed.value(), products, 1e-13);
  tape.ZeroGradients();
  tape.Backward(plain + spans + mixed + none);
  EXPECT_NEAR(hidden[70].gradient(), 2 * std::tanh(x[70]) + w[70], 1e-13);
  EXPECT_NEAR(tape.gradients()[70], x[70] + std::tanh(x[70]), 1e-13);
}

// Whatever holds the values; c may be a leaf or a plain number.
TEST(DotNode, TakesVectorsArraysSpansAndLeaves) {
  Tape<double> tape;
  const Leaves<double> w = tape.Parameters(std::vector<double>{1, 2, 3, 0.5});
  std::vector<V> x;
  for (int k = 0; k < 3; ++k) x.emplace_back(k + 1.0);
  const std::array<V, 3> array = {x[0], x[1], x[2]};
  const Leaves<double> weights = w.Part(0, 3);
  EXPECT_EQ(dot(weights, x).value(), 14);
  EXPECT_EQ(dot(x, weights).value(), 14);
  EXPECT_EQ(dot(x, array).value(), 14);
  EXPECT_EQ(dot(std::span<V>(x), std::span<const V>(x)).value(), 14);
  EXPECT_EQ(dot(w[3], weights, x).value(), 14.5);
  EXPECT_EQ(dot(2, x, x).value(), 16);
  const std::vector<V> outputs = Checkpoint(
      tape, [](std::span<const V> in) { return std::vector<V>{dot(in, in)}; }, x);
  tape.Backward(outputs[0]);
  for (int k = 0; k < 3; ++k) EXPECT_EQ(x[k].gradient(), 2 * (k + 1.0));
}

TEST(DotNode, OfPacks) {
  using P = Value<tape::Pack4d>;
  Tape<tape::Pack4d> tape;
  const Leaves<tape::Pack4d> w = tape.Parameters(std::vector<double>{1, 2, 3});
  std::vector<P> x;
  for (int k = 0; k < 3; ++k) {
    tape::Pack4d number(k);
    for (int lane = 0; lane < 4; ++lane) number.v[lane] += 10 * lane;
    x.push_back(number);
  }
  const P y = dot(P(0.5), w, std::span<const P>(x));
  tape.Backward(y);
  for (int lane = 0; lane < 4; ++lane) EXPECT_EQ(y.value()[lane], 0.5 + 8 + 60 * lane);
  EXPECT_EQ(tape.gradients()[1], 4 * 1 + 60);
  EXPECT_EQ(x[2].gradient()[3], 3);
}

}  // namespace
}  // namespace mlp::autograd
