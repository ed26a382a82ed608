// Random graphs on the tape and on the reference's: the same values and derivatives.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "mlp/autograd/tape.h"
#include "mlp/autograd/value.h"
#include "mlp/base/rng.h"
#include "mlp/reference/scalar_tape.h"

namespace mlp::autograd {
namespace {

using V = Value<double>;

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
    switch (stream.Below(19)) {
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
      case 18: {  // A run that subtracts.
        const size_t n = std::min<size_t>(values.size() / 2, 9);
        V s = a;
        size_t sum = nodes[i];
        for (size_t k = 0; k < n; ++k) {
          s -= values[k] * values[n + k];
          sum = expected.Apply("sub", sum, expected.Apply("mul", nodes[k], nodes[n + k]));
          if (stream.Below(10) == 0) add(s, sum);
        }
        add(s, sum);
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

}  // namespace
}  // namespace mlp::autograd
