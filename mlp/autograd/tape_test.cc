// The tape: derivatives on large, deep and random graphs, marks and rewinding, parameters.
#include "mlp/autograd/tape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "mlp/autograd/value.h"
#include "mlp/base/rng.h"
#include "mlp/reference/scalar_tape.h"

namespace mlp::autograd {
namespace {

using V = Value<double>;

// 2^64 paths, 64 additions.
TEST(Tape, DiamondIsLinearAndExact) {
  Tape<double> tape;
  const V x = 1.5;
  V y = x;
  for (int level = 0; level < 64; ++level) y = y + y;
  tape.Backward(y);
  EXPECT_EQ(tape.size(), tape::kFirstId + 65);
  EXPECT_EQ(y.value(), std::ldexp(1.5, 64));
  EXPECT_EQ(x.gradient(), std::ldexp(1.0, 64));
}

TEST(Tape, BlocksBeginOnCacheLinesOfTheirOwn) {
  Tape<float> tape;
  const std::vector<float> numbers = {1, 2, 3};
  const auto line = [&](float* address) { return reinterpret_cast<uintptr_t>(address) % 64; };
  EXPECT_EQ(line(tape.parameters().data()), 0u);
  const Leaves<float> w = tape.Parameters(numbers);
  const Leaves<float> x = tape.Inputs(numbers);
  const Value<float> between = 4;
  const Leaves<float> data = tape.Data(numbers);
  EXPECT_EQ(line(tape.numbers(x).data()), 0u);
  EXPECT_EQ(line(tape.numbers(data).data()), 0u);
  const Value<float> y = w[2] * x[2] + between * data[0];
  tape.Backward(y);
  EXPECT_EQ(y.value(), 13);
  EXPECT_EQ(Value<float>(x[2]).gradient(), 3);
  EXPECT_EQ(between.gradient(), 1);
}

TEST(Tape, ChainOfTenMillion) {
  Tape<double> tape;
  const V x = 1.0;
  V y = x;
  for (int i = 0; i < 10'000'000; ++i) y = y * 1.0000001;
  tape.Backward(y);
  EXPECT_NEAR(x.gradient(), std::exp(1.0), 1e-6);
  EXPECT_EQ(x.gradient(), y.value());
}

TEST(Tape, MillionInputs) {
  Tape<double> tape;
  std::vector<double> numbers(1'000'000);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i % 1000) / 1000;
  const Leaves<double> x = tape.Inputs(numbers);
  V y = 0.0;
  for (size_t i = 0; i < numbers.size(); ++i) y += x[i] * x[i];
  tape.Backward(y);
  EXPECT_EQ(tape.records(), 1u);
  for (const size_t i : {0u, 1u, 999u, 123'456u, 999'999u}) {
    EXPECT_EQ(Value<double>(x[i]).gradient(), 2 * numbers[i]);
  }
}

TEST(Tape, MillionCyclesInFlatMemory) {
  Tape<double> tape;
  const V x = 3.0;
  const TapeMark mark = tape.Mark();
  double sum = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    tape.Rewind(mark);
    V s = 1.0;
    for (int k = 0; k < 4; ++k) s += x * x;
    tape.Backward(exp(-s) * x);
    sum += x.gradient();
    ASSERT_LE(tape.size(), mark.size + 12);
  }
  EXPECT_NEAR(sum / 1e6, std::exp(-37.0) * (1 - 72), 1e-25);
}

// What a mark protects stays as it is, even a sum and a map that were still growing.
TEST(Tape, RewindRestoresWhatWasThere) {
  Tape<double> tape;
  std::vector<V> x;
  for (int i = 0; i < 20; ++i) x.emplace_back(0.1 * (i + 1));
  std::vector<V> y;
  for (int i = 0; i < 5; ++i) y.push_back(exp(x[i]));
  const TapeMark mark = tape.Mark();
  for (int round = 0; round < 3; ++round) {
    tape.Rewind(mark);
    for (int i = 5; i < 10 + round; ++i) y.push_back(exp(x[i]));
    V sum = 0.0;
    for (int i = 0; i < 10 + round; ++i) sum += y[i] * y[i];
    tape.Backward(sum);
    for (int i = 0; i < 10 + round; ++i) {
      EXPECT_NEAR(x[i].gradient(), 2 * std::exp(2 * x[i].value()), 1e-12) << i;
    }
    y.resize(5);
  }
  V z = 0.0;
  for (int i = 0; i < 5; ++i) z += y[i];
  tape.Backward(z);
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(x[i].gradient(), std::exp(x[i].value()), 1e-12);
}

TEST(Tape, ParametersAreFlatAndTheirGradientsAddUp) {
  Tape<double> tape;
  const std::vector<double> initial = {1, 2, 3};
  const Leaves<double> w = tape.Parameters(initial);
  const Leaves<double> b = tape.Parameters(std::vector<double>{0.5});
  ASSERT_EQ(tape.parameters().size(), 4u);
  const TapeMark mark = tape.Mark();
  for (int sample = 1; sample <= 2; ++sample) {
    tape.Rewind(mark);
    V s = b[0];
    for (size_t i = 0; i < w.size(); ++i) s += w[i] * static_cast<double>(sample);
    tape.Backward(s);
  }
  EXPECT_EQ(std::vector<double>(tape.gradients().begin(), tape.gradients().end()),
            (std::vector<double>{3, 3, 3, 2}));
  tape.ZeroGradients();
  tape.parameters()[0] = 10;  // The leaf reads the new number.
  tape.Rewind(mark);
  const V y = w[0] * w[0];
  tape.Backward(y);
  EXPECT_EQ(y.value(), 100);
  EXPECT_EQ(tape.gradients()[0], 20);
  EXPECT_EQ(tape.gradients()[3], 0);
  tape.Backward(V(w[1]));
  EXPECT_EQ(tape.gradients()[1], 1);
}

TEST(Tape, BackwardTwiceFromDifferentRoots) {
  Tape<double> tape;
  const V x = 2.0;
  const V y = x * x;
  const V z = y * x;
  tape.Backward(z);
  EXPECT_EQ(x.gradient(), 12);
  tape.Backward(y);
  EXPECT_EQ(x.gradient(), 4);
  tape.Backward(z, 0.5);
  EXPECT_EQ(x.gradient(), 6);
}

TEST(Tape, TapesNestAndThreadsHaveTheirOwn) {
  Tape<double> outer;
  const V x = 2.0;
  {
    Tape<double> inner;
    const V a = 3.0;
    inner.Backward(a * a);
    EXPECT_EQ(a.gradient(), 6);
  }
  double slope = 0;
  std::thread([&] {
    Tape<double> tape;
    const V a = 5.0;
    tape.Backward(a * a);
    slope = a.gradient();
  }).join();
  EXPECT_EQ(slope, 10);
  outer.Backward(x * x * x);
  EXPECT_EQ(x.gradient(), 12);
}

TEST(Tape, OneMapPerLayer) {
  Tape<float> tape;
  std::vector<float> numbers(64, 0.5f);
  const Leaves<float> x = tape.Inputs(numbers);
  std::vector<Value<float>> y;
  for (size_t i = 0; i < x.size(); ++i) y.push_back(relu(x[i]));
  EXPECT_EQ(tape.records(), 1u);
  EXPECT_EQ(tape.bytes_since({tape::kFirstId + 64, 0}), 64 * 16 + 16u);
}

// Random graphs with every op, with sums that run and such that do not, against the reference tape.
class RandomGraphs : public ::testing::TestWithParam<int> {};

TEST_P(RandomGraphs, MatchTheReference) {
  Stream stream(static_cast<uint64_t>(GetParam()), Purpose::kTest);
  Tape<double> tape;
  reference::ScalarTape expected;
  std::vector<V> values;
  std::vector<size_t> nodes;
  const auto add = [&](V value, size_t node) {
    values.push_back(std::move(value));
    nodes.push_back(node);
  };
  // Operands bounded, so that random compositions stay finite.
  const auto bound = [&](size_t i) {
    const V scaled = tanh(values[i]);
    values[i] = scaled;
    nodes[i] = expected.Apply("tanh", nodes[i]);
  };
  for (int i = 0; i < 8; ++i) {
    const double x = stream.Uniform(-1, 1);
    add(x, expected.Input(x));
  }
  for (int step = 0; step < 300; ++step) {
    const auto pick = [&] { return stream.Below(static_cast<uint32_t>(values.size())); };
    const size_t i = pick(), j = pick();
    if (std::abs(values[i].value()) > 3) bound(i);
    if (std::abs(values[j].value()) > 3) bound(j);
    const V& a = values[i];
    const V& b = values[j];
    const auto reference = [&](const char* op) { return expected.Apply(op, nodes[i], nodes[j]); };
    switch (stream.Below(18)) {
      case 0:
        add(a + b, reference("add"));
        break;
      case 1:
        add(a - b, reference("sub"));
        break;
      case 2:
        add(a * b, reference("mul"));
        break;
      case 3: {
        const size_t denominator =
            expected.Apply("add", expected.Apply("mul", nodes[j], nodes[j]), expected.Input(1));
        add(a / (b * b + 1.0), expected.Apply("div", nodes[i], denominator));
        break;
      }
      case 4:
        add(max(a, b), reference("max"));
        break;
      case 5:
        add(exp(a), reference("exp"));
        break;
      case 6:
        add(sin(a), reference("sin"));
        break;
      case 7:
        add(sigmoid(a), reference("sigmoid"));
        break;
      case 8:
        add(relu(a), reference("relu"));
        break;
      case 9:
        add(gelu(a), reference("gelu"));
        break;
      case 10:
        add(softplus(a), reference("softplus"));
        break;
      case 11:
        add(-a, reference("neg"));
        break;
      case 12: {  // += on what others may hold.
        V s = a;
        s += b;
        s += b * a;
        const size_t sum = expected.Apply("add", nodes[i], nodes[j]);
        add(s, expected.Apply("add", sum, expected.Apply("mul", nodes[j], nodes[i])));
        break;
      }
      case 13: {  // A sum of products over neighbours, sometimes with a copy on the way.
        const size_t n = values.size() / 2;
        V s = a;
        size_t sum = nodes[i];
        for (size_t k = 0; k < n; ++k) {
          s += values[k] * values[n + k];
          sum = expected.Apply("add", sum, expected.Apply("mul", nodes[k], nodes[n + k]));
          if (stream.Below(10) == 0) add(s, sum);
        }
        add(s, sum);
        break;
      }
      case 14: {
        V s = 0.0;
        size_t sum = expected.Input(0);
        for (size_t k = 0; k < values.size(); ++k) {
          s += values[k];
          sum = expected.Apply("add", sum, nodes[k]);
        }
        add(tanh(s), expected.Apply("tanh", sum));
        break;
      }
      case 15: {  // An op on a whole layer.
        const size_t n = std::min<size_t>(values.size(), 12);
        for (size_t k = 0; k < n; ++k) add(tanh(values[k]), expected.Apply("tanh", nodes[k]));
        break;
      }
      case 16: {
        const size_t n = std::min<size_t>(values.size() / 2, 9);
        for (size_t k = 0; k < n; ++k) {
          add(values[k] * values[n + k], expected.Apply("mul", nodes[k], nodes[n + k]));
        }
        break;
      }
      case 17: {  // A square, named.
        V square = a * a;
        const size_t node = expected.Apply("mul", nodes[i], nodes[i]);
        add(square * b, expected.Apply("mul", node, nodes[j]));
        add(std::move(square), node);
        break;
      }
    }
  }
  V root = 0.0;
  size_t root_node = expected.Input(0);
  for (size_t i = 0; i < values.size(); ++i) {
    root += tanh(values[i]);
    root_node = expected.Apply("add", root_node, expected.Apply("tanh", nodes[i]));
  }
  tape.Backward(root);
  const std::vector<double> gradient = expected.Gradient(root_node);
  ASSERT_NEAR(root.value(), expected.value(root_node), 1e-10);
  double largest = 1;
  for (size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, std::abs(gradient[nodes[i]]));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_NEAR(values[i].gradient(), gradient[nodes[i]], 1e-10 * largest) << "value " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGraphs, ::testing::Range(0, 60));

// A product is recorded when it is first used, which may be after a mark that it was formed before.
TEST(TapeTest, AProductOutlivesTheRecordThatItsUseMade) {
  Tape<double> tape;
  const V a = 2, b = 3, e = 5;
  auto p = a * b;
  auto q = b * e;  // With p's, a map.
  const TapeMark mark = tape.Mark();
  for (int round = 0; round < 4; ++round) {
    tape.Rewind(mark);
    V c = 5;
    for (int k = 0; k < round; ++k) c = c * 2.0 + 1.0;
    V s = 0;
    if (round % 2 == 1) s += p * p;
    const V y = c * p + p + q + s;
    tape.Backward(y);
    const double square = round % 2;
    EXPECT_EQ(y.value(), c.value() * 6 + 6 + 15 + 36 * square);
    EXPECT_EQ(a.gradient(), 3 * (c.value() + 1 + 12 * square)) << round;
    EXPECT_EQ(b.gradient(), 2 * (c.value() + 1 + 12 * square) + 5) << round;
    EXPECT_EQ(c.gradient(), 6);
    EXPECT_EQ(p.gradient(), c.value() + 1 + 12 * square);
  }
  const V moved = std::move(q);
  EXPECT_EQ(moved.value(), 15);
  p += a * b;  // p is a sum now.
  p += b * e;
  EXPECT_EQ(p.value(), 27);
  tape.Backward(p);
  EXPECT_EQ(b.gradient(), 2 + 2 + 5);
}

}  // namespace
}  // namespace mlp::autograd
