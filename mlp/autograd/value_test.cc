// Values: every op against reference derivatives and central differences, mixtures with plain
// numbers, and the forms that users write.
#include "mlp/autograd/value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "mlp/autograd/dot.h"
#include "mlp/autograd/tape.h"
#include "mlp/reference/scalar_tape.h"

namespace mlp::autograd {
namespace {

using V = Value<double>;

V neg(const V& x) { return -x; }

struct UnaryOp {
  std::string name;
  std::function<V(const V&)> function;
  std::vector<double> at;
};

const std::vector<double> kAnywhere = {-30, -3.5, -1, -0.25, 0.125, 0.5, 1, 2.75, 30};
const std::vector<double> kPositive = {1e-3, 0.25, 1, 3, 100};
const std::vector<double> kBelowOne = {-0.9, -0.25, 0.125, 0.5, 0.95};

// Where the function of this name is asked.
const std::vector<double>& Points(const std::string& name) {
  if (name.starts_with("log") || name == "sqrt") return kPositive;
  // Within (-1, 1), or nearly a straight line there, as the differences below want it.
  return name == "asin" || name == "acos" || name == "tan" ? kBelowOne : kAnywhere;
}

std::vector<UnaryOp> UnaryOps() {
  std::vector<UnaryOp> ops;
#define MLP_UNARY(functor, name) \
  ops.push_back({#name, [](const V& x) { return name(x); }, Points(#name)});
#include "mlp/kernels/tape/tape_ops.inc"
  return ops;
}

struct BinaryOp {
  std::string name;
  std::function<V(const V&, const V&)> function;
};

std::vector<BinaryOp> BinaryOps() {
  return {{"add", [](const V& a, const V& b) { return a + b; }},
          {"sub", [](const V& a, const V& b) { return a - b; }},
          {"mul", [](const V& a, const V& b) { return a * b; }},
          {"div", [](const V& a, const V& b) { return a / b; }},
          {"pow", [](const V& a, const V& b) { return pow(a, b); }},
          {"atan2", [](const V& a, const V& b) { return atan2(a, b); }},
          {"hypot", [](const V& a, const V& b) { return hypot(a, b); }},
          {"max", [](const V& a, const V& b) { return max(a, b); }},
          {"min", [](const V& a, const V& b) { return min(a, b); }}};
}

double Differences(const std::function<double(double)>& f, double x) {
  const double h = 1e-5 * std::abs(x);
  return (f(x + h) - f(x - h)) / (2 * h);
}

void ExpectNear(double actual, double expected, double relative) {
  EXPECT_NEAR(actual, expected, relative * std::max(1.0, std::abs(expected)));
}

TEST(Value, UnaryOpsMatchTheReference) {
  Tape<double> tape;
  for (const UnaryOp& op : UnaryOps()) {
    for (const double x : op.at) {
      SCOPED_TRACE(op.name + " at " + std::to_string(x));
      reference::ScalarTape expected;
      const size_t y = expected.Apply(op.name, expected.Input(x));
      const V a = x;
      const V b = op.function(a);
      tape.Backward(b);
      ExpectNear(b.value(), expected.value(y), 1e-14);
      ExpectNear(a.gradient(), expected.Gradient(y)[0], 1e-13);
      // Central differences: an error of h^2 times the third derivative, near e^30 for exp.
      const double numeric = Differences([&](double z) { return op.function(V(z)).value(); }, x);
      ExpectNear(a.gradient(), numeric, 1e-6);
    }
  }
}

TEST(Value, UnaryOpsAtTheEnds) {
  Tape<double> tape;
  for (const UnaryOp& op : UnaryOps()) {
    for (const double x : {-700.0, 700.0}) {
      if ((op.at == kPositive && x < 0) || op.at == kBelowOne) continue;
      const V a = x;
      const V b = op.function(a);
      tape.Backward(b);
      EXPECT_TRUE(std::isfinite(b.value())) << op.name << " at " << x;
      EXPECT_TRUE(std::isfinite(a.gradient())) << op.name << " at " << x;
    }
    const V nan = std::nan("");
    EXPECT_TRUE(std::isnan(op.function(nan).value())) << op.name;
  }
}

TEST(Value, SlopesAtKinks) {
  Tape<double> tape;
  const auto slope_at_0 = [&](auto f) {
    const V x = 0.0;
    tape.Backward(f(x));
    return x.gradient();
  };
  EXPECT_EQ(slope_at_0([](const V& x) { return relu(x); }), 0);
  EXPECT_EQ(slope_at_0([](const V& x) { return abs(x); }), 0);
  EXPECT_EQ(slope_at_0([](const V& x) { return leaky_relu(x); }), 0.01);
  EXPECT_EQ(slope_at_0([](const V& x) { return max(x, 0.0); }), 1);
  EXPECT_EQ(slope_at_0([](const V& x) { return max(0.0, x); }), 0);
}

TEST(Value, BinaryOpsMatchTheReference) {
  Tape<double> tape;
  for (const BinaryOp& op : BinaryOps()) {
    for (const double x : {-2.5, 0.5, 3.0}) {
      for (const double z : {-1.25, 0.75, 3.0}) {
        if (op.name == "pow" && x < 0) continue;
        SCOPED_TRACE(op.name + " at " + std::to_string(x) + ", " + std::to_string(z));
        reference::ScalarTape expected;
        const size_t i = expected.Input(x), j = expected.Input(z);
        const size_t y = expected.Apply(op.name, i, j);
        const V a = x, b = z;
        const V c = op.function(a, b);
        tape.Backward(c);
        ExpectNear(c.value(), expected.value(y), 1e-15);
        ExpectNear(a.gradient(), expected.Gradient(y)[i], 1e-14);
        ExpectNear(b.gradient(), expected.Gradient(y)[j], 1e-14);
      }
    }
  }
}

TEST(Value, PowersOfPlainNumbers) {
  Tape<double> tape;
  for (const double base : {-2.0, 0.0, 3.0}) {
    const V x = base;
    const V y = pow(x, 3);
    tape.Backward(y);
    EXPECT_EQ(y.value(), base * base * base);
    EXPECT_EQ(x.gradient(), 3 * base * base);
  }
  const V x = 0.0;
  tape.Backward(pow(x, 0));
  EXPECT_EQ(x.gradient(), 0);
  const V e = 2.0;
  const V y = pow(3.0, e);
  tape.Backward(y);
  EXPECT_NEAR(e.gradient(), 9 * std::log(3.0), 1e-14);
}

TEST(Value, PlainNumbersOnEitherSide) {
  Tape<double> tape;
  const V x = 4.0;
  const V y = (2 * x + 1) / (x - 1.5f) - 3 / x + (x - 2) * 0.5 - -x;
  tape.Backward(y);
  EXPECT_DOUBLE_EQ(y.value(), 9 / 2.5 - 0.75 + 1 + 4);
  EXPECT_DOUBLE_EQ(x.gradient(), 2 / 2.5 - 9 / 6.25 + 3.0 / 16 + 0.5 + 1);
}

TEST(Value, FunctionsOfTwoTakePlainNumbersOnEitherSide) {
  Tape<double> tape;
  const V x = 3.0;
  const V y = hypot(x, 4) + hypot(-4.0, x) + atan2(x, 1) + atan2(1.0, x) + max(x, 2) + max(5.0, x) +
              min(x, 7.0f) + min(1, x);
  tape.Backward(y);
  EXPECT_DOUBLE_EQ(y.value(), 5 + 5 + std::atan2(3, 1) + std::atan2(1, 3) + 3 + 5 + 3 + 1);
  EXPECT_DOUBLE_EQ(x.gradient(), 0.6 + 0.6 + 0.1 - 0.1 + 1 + 0 + 1 + 0);
  const V zero = 0.0;
  tape.Backward(hypot(zero, 0.0));
  EXPECT_EQ(zero.gradient(), 0);
}

TEST(Value, CompoundAssignments) {
  Tape<double> tape;
  const V a = 3.0, b = 2.0;
  V x = a;
  x += b;
  x *= a;
  x -= 1;
  x /= b;
  x += 0.5;
  tape.Backward(x);
  EXPECT_DOUBLE_EQ(x.value(), (5 * 3 - 1) / 2.0 + 0.5);
  EXPECT_DOUBLE_EQ(a.gradient(), (2 * 3 + 2) / 2.0);
  EXPECT_DOUBLE_EQ(b.gradient(), 3 / 2.0 - 14.0 / 4);
}

TEST(Value, UsedTwice) {
  Tape<double> tape;
  const V x = 3.0;
  V y = x * x;
  y = y + y * x;
  tape.Backward(y);
  EXPECT_DOUBLE_EQ(y.value(), 9 + 27);
  EXPECT_DOUBLE_EQ(x.gradient(), 6 + 27);
}

// Nothing refers to temporaries: what auto keeps is a value.
TEST(Value, AutoAndTernariesAreSafe) {
  Tape<double> tape;
  const V a = 2.0, b = 5.0;
  auto p = a * b;
  auto q = p + p;
  p += 1.0;
  const auto r = p > q ? p * q : a * 3.0;
  const auto s = p > q ? a * b : 7.0;
  const auto t = r + s * p;
  tape.Backward(t);
  EXPECT_DOUBLE_EQ(t.value(), 6 + 7 * 11.0);
  EXPECT_DOUBLE_EQ(a.gradient(), 3 + 7 * 5);
  EXPECT_DOUBLE_EQ(b.gradient(), 7 * 2);
}

TEST(Value, TernariesOfLeavesAndNumbers) {
  Tape<double> tape;
  const Leaves<double> x = tape.Inputs(std::vector<double>{2, 3});
  const V kept = 5.0;
  V sum = 0.0;
  for (const bool first : {true, false}) {
    const auto leaf = first ? x[0] : 1.0;
    const auto value = first ? kept : x[1];
    const auto other = first ? 1 : x[1];
    sum += leaf * value * other;
  }
  tape.Backward(sum);
  EXPECT_EQ(sum.value(), 2 * 5 * 1 + 1 * 3 * 3);
  EXPECT_EQ(V(x[0]).gradient(), 5);
  EXPECT_EQ(V(x[1]).gradient(), 6);
  EXPECT_EQ(kept.gradient(), 2);
}

TEST(Value, StandardAlgorithms) {
  Tape<double> tape;
  std::vector<V> w, x;
  for (int i = 0; i < 10; ++i) w.emplace_back(i + 1.0);
  for (int i = 0; i < 10; ++i) x.emplace_back(0.5 * i);
  const size_t before = tape.records();
  const V dot = std::inner_product(w.begin(), w.end(), x.begin(), V(0.0));
  const V sum = std::accumulate(w.begin(), w.end(), V(0.0));
  const V largest = *std::max_element(w.begin(), w.end());
  const V y = dot * sum + largest;
  tape.Backward(y);
  EXPECT_DOUBLE_EQ(y.value(), 165 * 55 + 10);
  EXPECT_DOUBLE_EQ(w[3].gradient(), 1.5 * 55 + 165);
  EXPECT_DOUBLE_EQ(x[3].gradient(), 4 * 55);
  EXPECT_DOUBLE_EQ(w[9].gradient(), 4.5 * 55 + 165 + 1);
  EXPECT_EQ(tape.records() - before, 4u);
  std::vector<V> sorted = {w[4], w[2], w[7]};
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted[0].value(), 3);
  std::swap(sorted[0], sorted[2]);
  EXPECT_EQ(sorted[0].value(), 8);
}

TEST(Value, Comparisons) {
  Tape<double> tape;
  const V a = 1.0, b = 2.0;
  EXPECT_TRUE(a < b && a <= b && b > a && b >= a && a != b && !(a == b));
  EXPECT_TRUE(a < 1.5 && 1.5 < b && a == 1.0 && 2.0 >= b);
  const size_t size = tape.size();
  EXPECT_FALSE(a > b);
  EXPECT_EQ(tape.size(), size);  // Comparisons are not recorded.
}

TEST(Value, AsksWhetherNumbersAreFinite) {
  Tape<double> tape;
  const double inf = std::numeric_limits<double>::infinity();
  for (const double number : {0.0, -2.5, 1e308, inf, -inf, std::nan("")}) {
    const V a = number;
    EXPECT_EQ(isnan(a), std::isnan(number)) << number;
    EXPECT_EQ(isinf(a), std::isinf(number)) << number;
    EXPECT_EQ(isfinite(a), std::isfinite(number)) << number;
  }
}

TEST(Value, LeavesTakeWhatValuesTake) {
  Tape<double> tape;
  const Leaves<double> w = tape.Parameters(std::vector<double>{-2, 3});
  EXPECT_FALSE(isnan(w[0]) || isinf(w[0]) || !isfinite(w[0]));
  const Value<double> y = keep(w[1], 1.0) * fabs(w[0]);
  tape.Backward(y);
  EXPECT_EQ(w[0].gradient(), -3);
  EXPECT_EQ(w[1].gradient(), 2);
  std::ostringstream text;
  text << y << " " << w[1];
  EXPECT_EQ(text.str(), "6 3");
}

// Also where they are among ids that others sweep over.
TEST(Value, DataHaveNoGradient) {
  Tape<double> tape;
  const Leaves<double> w = tape.Parameters(std::vector<double>{2, 3});
  const Leaves<double> x = tape.Data(std::vector<double>{5, 7});
  const Value<double> y = w[0] * x[0];
  tape.Backward(y * x[1] + dot(w, x));
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i].gradient(), 0);
  EXPECT_EQ(w[0].gradient(), 5 * 7 + 5);
}

TEST(Value, FloatsAreTapesOfTheirOwn) {
  Tape<double> doubles;
  Tape<float> floats;
  const Value<float> x = 3.0f;
  const Value<double> z = 5.0;
  const Value<float> y = x * x + 1;
  const Value<double> u = z * z;
  floats.Backward(y);
  doubles.Backward(u);
  EXPECT_EQ(x.gradient(), 6.0f);
  EXPECT_EQ(z.gradient(), 10.0);
}

TEST(Value, RootThatIsAnInputOrAPlainNumber) {
  Tape<double> tape;
  const V x = 3.0;
  tape.Backward(x);
  EXPECT_EQ(x.gradient(), 1);
  const V zero;
  EXPECT_EQ(zero.value(), 0);
  const V y = zero + x * zero;
  tape.Backward(y);
  EXPECT_EQ(x.gradient(), 0);
}

}  // namespace
}  // namespace mlp::autograd
