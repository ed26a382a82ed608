// What builds on tapes: duals, compiled tapes, checkpoints, checks of gradients, and looking
// inside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "mlp/autograd/checkpoint.h"
#include "mlp/autograd/compiled.h"
#include "mlp/autograd/dot.h"
#include "mlp/autograd/dual.h"
#include "mlp/autograd/grad_check.h"
#include "mlp/autograd/inspect.h"
#include "mlp/autograd/tape.h"
#include "mlp/base/rng.h"

namespace mlp::autograd {
namespace {

using ::testing::HasSubstr;
using V = Value<double>;

// Every op at once, of inputs in (0.5, 1.5).
const auto kEverything = [](auto x) {
  using X = std::remove_cvref_t<decltype(x[0])>;
  X y = 0.0;
  for (size_t i = 0; i + 1 < x.size(); ++i) y += x[i] * x[i + 1];
  for (size_t i = 0; i < x.size(); ++i) y += x[i];
  y = y / (x[0] * x[1] + 1.0) - log(x[2]) + sqrt(x[0] + x[3]) + pow(x[1], 3) + pow(x[2], x[3]);
  y = y + exp(-x[0]) + sin(x[1]) * cos(x[2]) + tanh(x[3]) + abs(x[0] - 2.0) + max(x[0], x[1] + 2.0);
  y = y + sigmoid(x[0]) + relu(x[1]) + leaky_relu(-x[2]) + elu(-x[3]) + silu(x[0]) + gelu(x[1]) +
      softplus(x[2]) + min(x[0] * x[2], 5.0);
  return y;
};

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

TEST(Compiled, ReplaysAtNewInputs) {
  Stream stream(5, Purpose::kTest);
  auto compiled = Compile<double>(kEverything, 5);
  for (int round = 0; round < 10; ++round) {
    std::vector<double> x(5);
    for (double& number : x) number = stream.Uniform(0.5f, 1.5f);
    std::span<const double> gradient;
    const double y = compiled.Differentiate(x, gradient);
    Tape<double> tape;
    std::vector<V> inputs(x.begin(), x.end());
    const V expected = kEverything(std::span<const V>(inputs));
    tape.Backward(expected);
    EXPECT_NEAR(y, expected.value(), 1e-13);
    for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(gradient[i], inputs[i].gradient(), 1e-13);
  }
  EXPECT_EQ(compiled.recordings(), 1u);
}

TEST(Compiled, RecordsAgainWhereABranchTurns) {
  int calls = 0;
  auto compiled = Compile<double>(
      [&](std::span<const V> x) {
        ++calls;
        V y = x[0];
        while (y < 100.0) y = y * x[1];
        return x[0] >= x[1] ? y : -y;
      },
      2);
  std::span<const double> g;
  EXPECT_EQ(compiled.Differentiate(std::vector<double>{3, 2}, g), 192);  // 3 * 2^6
  EXPECT_EQ(g[0], 64);
  EXPECT_EQ(g[1], 3 * 6 * 32);
  EXPECT_EQ(compiled.Differentiate(std::vector<double>{2.5, 2}, g), 160);  // The same way.
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(compiled.Differentiate(std::vector<double>{50, 4}, g), 200);  // One turn.
  EXPECT_EQ(g[0], 4);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(compiled.Evaluate(std::vector<double>{3, 4}), -192);
  EXPECT_EQ(compiled.recordings(), 3u);
}

TEST(Compiled, ABranchThatReadsNothingHasNoGradient) {
  auto compiled =
      Compile<double>([](std::span<const V> x) { return x[0] > 0.0 ? x[0] * x[0] : V(); }, 1);
  std::span<const double> g;
  EXPECT_EQ(compiled.Differentiate(std::vector<double>{3}, g), 9);
  EXPECT_EQ(g[0], 6);
  EXPECT_EQ(compiled.Differentiate(std::vector<double>{-3}, g), 0);
  EXPECT_EQ(g[0], 0);
}
TEST(Compiled, LeavesTheCurrentTapeAlone) {
  Tape<double> tape;
  const V x = 2.0;
  auto compiled = Compile<double>([](std::span<const V> a) { return a[0] * 1.0; }, 1);
  const V y = x * x;
  EXPECT_EQ(compiled.Evaluate(std::vector<double>{7}), 7);
  tape.Backward(y + x);
  EXPECT_EQ(x.gradient(), 5);
}

// A chain of segments has the gradient that it has without, in less memory.
TEST(Checkpoint, SameGradientInLessMemory) {
  constexpr int kSegments = 20, kSteps = 500;
  const auto segment = [](std::span<const V> in) {
    V a = in[0];
    V b = in[1];
    for (int i = 0; i < kSteps; ++i) {
      const V t = sin(a * 0.9 + b);
      b = cos(b * 0.8 - a);
      a = t;
    }
    std::vector<V> out;
    out.push_back(a);
    out.push_back(b);
    return out;
  };
  double gradient[2][2];
  double value[2];
  Id size[2];
  for (const int checkpointed : {0, 1}) {
    Tape<double> tape;
    const V x = 0.3, y = 0.4;
    std::vector<V> state = {x, y};
    for (int s = 0; s < kSegments; ++s) {
      state = checkpointed ? Checkpoint<double>(tape, segment, state) : segment(state);
    }
    const V root = state[0] * state[1] + x;
    size[checkpointed] = tape.size();
    tape.Backward(root);
    EXPECT_EQ(tape.size(), size[checkpointed]);
    value[checkpointed] = root.value();
    gradient[checkpointed][0] = x.gradient();
    gradient[checkpointed][1] = y.gradient();
  }
  EXPECT_EQ(value[0], value[1]);
  EXPECT_NEAR(gradient[0][0], gradient[1][0], 1e-12 * std::abs(gradient[0][0]));
  EXPECT_NEAR(gradient[0][1], gradient[1][1], 1e-12 * std::abs(gradient[0][1]));
  EXPECT_LT(size[1] * 100, size[0]);
}

TEST(Checkpoint, NestedSegmentsParametersAndSharedInputs) {
  Tape<double> tape;
  const Leaves<double> w = tape.Parameters(std::vector<double>{1.5, 0.5});
  const V x = 2.0;
  const auto inner = [&](std::span<const V> in) {
    std::vector<V> out;
    out.push_back(in[0] * w[0]);
    return out;
  };
  const auto outer = [&](std::span<const V> in) {
    const std::vector<V> mid = Checkpoint<double>(tape, inner, in.subspan(0, 1));
    std::vector<V> out;
    out.push_back(mid[0] * in[1] + w[1]);
    return out;
  };
  const std::vector<V> both = {x, x};
  const std::vector<V> y = Checkpoint<double>(tape, outer, both);
  tape.Backward(y[0] * y[0]);
  const double v = 1.5 * 4 + 0.5;
  EXPECT_EQ(y[0].value(), v);
  EXPECT_EQ(x.gradient(), 2 * v * 2 * 1.5 * 2);
  EXPECT_EQ(tape.gradients()[0], 2 * v * 4);
  EXPECT_EQ(tape.gradients()[1], 2 * v);
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
}

TEST(Inspect, NamesTheOpThatMadeANaN) {
  Tape<double> tape;
  const V x = 2.0, y = 5.0;
  const V bad = log(x - y);
  const V after = bad * x + y;
  const auto found = FindNonFinite(tape, {{x.id(), "x"}});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, bad.id());
  EXPECT_EQ(found->op, Op::kLog);
  EXPECT_THAT(found->message, HasSubstr("log of id "));
  EXPECT_THAT(found->message, HasSubstr("= -3"));
  EXPECT_TRUE(std::isnan(after.value()));
}

TEST(Inspect, FindsOverflowInARunAndNothingElsewhere) {
  Tape<double> tape;
  std::vector<V> x;
  for (int i = 0; i < 5; ++i) x.emplace_back(i == 3 ? 1e200 : 1.0);
  V s = 0.0;
  for (int i = 0; i < 5; ++i) s += x[i] * x[i];
  const V y = s + 1.0;
  EXPECT_TRUE(std::isinf(y.value()));
  const auto found = FindNonFinite(tape);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->op, Op::kDot);
  EXPECT_EQ(found->id, s.id());
  Tape<double> fine;
  const V z = exp(V(1.0));
  EXPECT_FALSE(FindNonFinite(fine).has_value());
  fine.Backward(z);
  EXPECT_FALSE(FindNonFiniteGradient(fine).has_value());
}

// The value is fine, the derivative is not: sqrt at 0.
TEST(Inspect, NamesTheOpThatMadeAnInfiniteGradient) {
  Tape<double> tape;
  const V x = 1.0;
  const V zero = x - 1.0;
  const V root = sqrt(zero);
  const V y = root * 3.0;
  tape.Backward(y);
  EXPECT_FALSE(FindNonFinite(tape).has_value());
  const auto found = FindNonFiniteGradient(tape);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->op, Op::kSqrt);
  EXPECT_EQ(found->id, root.id());
}

TEST(Inspect, GraphHasANodeForEachValueAndOneForARun) {
  Tape<double> tape;
  std::vector<V> w, x;
  for (int i = 0; i < 20; ++i) w.emplace_back(1.0);
  for (int i = 0; i < 20; ++i) x.emplace_back(2.0);
  V s = 0.5;
  for (int i = 0; i < 20; ++i) s += w[i] * x[i];
  const V y = tanh(s * 0.1);
  tape.Backward(y);
  const std::string dot = ToDot(tape, y, {.names = {{y.id(), "y"}}, .gradients = true});
  EXPECT_THAT(dot, HasSubstr("digraph tape {"));
  EXPECT_THAT(dot, HasSubstr("dot of 20\\n40.5"));
  EXPECT_THAT(dot, HasSubstr("label=\"y\\ntanh"));
  EXPECT_THAT(dot, HasSubstr(absl::StrCat("n", s.id(), " -> ")));
  EXPECT_THAT(dot, HasSubstr("gradient 1\"]"));
  EXPECT_THAT(ToDot(tape, y, {.max_nodes = 2}), HasSubstr("more [shape=plaintext"));
}

}  // namespace
}  // namespace mlp::autograd
