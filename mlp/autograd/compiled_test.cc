// Compiled tapes and checkpoints: functions that are replayed or recorded again.
#include "mlp/autograd/compiled.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "mlp/autograd/checkpoint.h"
#include "mlp/autograd/loss.h"
#include "mlp/autograd/tape.h"
#include "mlp/autograd/testing.h"
#include "mlp/base/rng.h"

namespace mlp::autograd {
namespace {

using V = Value<double>;

// What a comparison said holds for new inputs where it says the same, NaN or not.
TEST(Compiled, EveryComparisonIsAGuard) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<double, double>> inputs = {{1, 2}, {2, 1}, {1, 1},    {kNaN, 1},
                                                         {2, 2}, {3, 5}, {5, kNaN}, {1, 0}};
  const auto expect_guard = [&](auto holds) {
    auto compiled = Compile<double>(
        [&](std::span<const V> x) { return holds(x[0], x[1]) ? V(1.0) * 1.0 : V(2.0) * 1.0; }, 2);
    size_t recordings = 0;
    bool last = false;
    for (const auto& [a, b] : inputs) {
      const bool outcome = holds(a, b);
      if (recordings == 0 || outcome != last) ++recordings;
      last = outcome;
      EXPECT_EQ(compiled.Evaluate(std::vector<double>{a, b}), outcome ? 1 : 2) << a << ", " << b;
      EXPECT_EQ(compiled.recordings(), recordings) << a << ", " << b;
    }
  };
  expect_guard([](auto a, auto b) { return a < b; });
  expect_guard([](auto a, auto b) { return a > b; });
  expect_guard([](auto a, auto b) { return a <= b; });
  expect_guard([](auto a, auto b) { return a >= b; });
  expect_guard([](auto a, auto b) { return a == b; });
  expect_guard([](auto a, auto b) { return a != b; });
}

// A function that throws leaves nothing behind: neither its tape nor half a recording.
TEST(Compiled, AFunctionMayThrow) {
  Tape<double> tape;
  const V x = 2.0;
  int calls = 0;
  auto compiled = Compile<double>(
      [&](std::span<const V> in) {
        ++calls;
        const V y = in[0] * 3.0;
        if (y < 0.0) throw std::runtime_error("negative");
        return y * y;
      },
      1);
  std::span<const double> g;
  EXPECT_THROW(compiled.Evaluate(std::vector<double>{-1}), std::runtime_error);
  const V y = x * x;  // On the tape that was current.
  tape.Backward(y + x);
  EXPECT_EQ(x.gradient(), 5);
  EXPECT_EQ(compiled.Differentiate(std::vector<double>{2}, g), 36);
  EXPECT_EQ(g[0], 36);
  EXPECT_THROW(compiled.Evaluate(std::vector<double>{-1}), std::runtime_error);
  EXPECT_EQ(compiled.Evaluate(std::vector<double>{1}), 9);
  EXPECT_EQ(compiled.recordings(), 2u);
  EXPECT_EQ(calls, 4);
  EXPECT_EQ((x < 3.0), true);
  tape.Backward(x * 1.0);
  EXPECT_EQ(x.gradient(), 1);
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

TEST(Checkpoint, ASegmentMayThrow) {
  Tape<double> tape;
  const V x = 2.0;
  int calls = 0;
  const auto segment = [&](std::span<const V> in) {
    std::vector<V> out = {in[0] * in[0]};
    if (++calls == 1 || calls == 3) throw std::runtime_error("no");
    return out;
  };
  const std::vector<V> in = {x};
  const Id size = tape.size();
  EXPECT_THROW(Checkpoint<double>(tape, segment, in), std::runtime_error);
  EXPECT_EQ(tape.size(), size);
  const std::vector<V> y = Checkpoint<double>(tape, segment, in);
  const V root = y[0] * 3.0;
  const Id recorded = tape.size();
  EXPECT_THROW(tape.Backward(root), std::runtime_error);
  EXPECT_EQ(tape.size(), recorded);
  tape.Backward(root);
  EXPECT_EQ(x.gradient(), 12);
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

// What is the largest changes from replay to replay: no power overflows.
TEST(Compiled, SoftmaxCrossEntropyIsStableAtNewInputs) {
  auto compiled =
      Compile<double>([](std::span<const V> x) { return softmax_cross_entropy(x, 0); }, 3);
  std::span<const double> gradient;
  const std::vector<double> zeros = {0, 0, 0};
  EXPECT_NEAR(compiled.Differentiate(zeros, gradient), std::log(3.0), 1e-15);
  for (const std::vector<double>& x :
       {std::vector<double>{1000, 0, -1000}, {0, 1000, 2000}, {-800, -801, -801}, {3, 3, 3}}) {
    Tape<double> tape;
    std::vector<V> logits(x.begin(), x.end());
    const V loss = softmax_cross_entropy(logits, 0);
    tape.Backward(loss);
    EXPECT_NEAR(compiled.Differentiate(x, gradient), loss.value(), 1e-12);
    for (size_t k = 0; k < x.size(); ++k) EXPECT_NEAR(gradient[k], logits[k].gradient(), 1e-12);
  }
  EXPECT_EQ(compiled.recordings(), 1u);
}

TEST(Checkpoint, ASegmentThatNothingDependsOnIsNotRunAgain) {
  Tape<double> tape;
  const V x = 2.0;
  int calls = 0;
  const auto segment = [&](std::span<const V> in) {
    ++calls;
    return std::vector<V>{in[0] * in[0]};
  };
  const std::vector<V> in = {x};
  const std::vector<V> unused = Checkpoint<double>(tape, segment, in);
  const V root = x * 3.0;
  tape.Backward(root);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(x.gradient(), 3);
  tape.Backward(unused[0]);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(x.gradient(), 4);
}

}  // namespace
}  // namespace mlp::autograd
