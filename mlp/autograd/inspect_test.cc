// Looking at tapes: which op a NaN or an infinity comes from, and graphs.
#include "mlp/autograd/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mlp/autograd/dual.h"
#include "mlp/autograd/tape.h"

namespace mlp::autograd {
namespace {

using ::testing::HasSubstr;
using V = Value<double>;

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

TEST(Inspect, ExplainsRunsThatSubtract) {
  Tape<double> tape;
  std::vector<V> x;
  for (int i = 0; i < 3; ++i) x.emplace_back(i + 1.0);
  V s = 0.5;
  for (int i = 0; i < 3; ++i) s -= x[i] * x[i];
  tape.Backward(s);
  EXPECT_THAT(Describe(tape, s.id()), HasSubstr("-13.5, minus_dot of id 19 = 0.5, id 16 = 1, "));
  const OpOf explained = Explain(tape, s.id());
  EXPECT_EQ(explained.op, Op::kMinusDot);
  EXPECT_EQ(explained.operands.size(), 7u);
  EXPECT_EQ(Contributions(tape, s.id(), explained),
            (std::vector<double>{1, -1, -1, -2, -2, -3, -3}));
  EXPECT_THAT(ToDot(tape, s), HasSubstr("minus_dot of 3"));
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

// Another op may share its operand, and lie nearer to the root.
TEST(Inspect, AnOpIsNotBlamedForAnothersGradient) {
  Tape<double> tape;
  const V x = 0.0;
  const V r = sqrt(x);
  const V u = x * 2.0;
  tape.Backward(r + u);
  const auto found = FindNonFiniteGradient(tape, {{x.id(), "x"}});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->op, Op::kSqrt);
  EXPECT_EQ(found->id, r.id());
  EXPECT_THAT(found->message, HasSubstr("to the gradient of x an op adds inf"));
}

TEST(Inspect, AGradientThatOverflowsInASumOrComesFromTheSeed) {
  Tape<double> tape;
  const V x = 1.0;
  const V a = x * 1e308, b = x * 1e308;
  tape.Backward(a + b);
  auto found = FindNonFiniteGradient(tape);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, x.id());
  EXPECT_THAT(found->message, HasSubstr("though what each op adds to it is finite"));
  const V y = x * 2.0;
  tape.Backward(y, std::numeric_limits<double>::infinity());
  found = FindNonFiniteGradient(tape);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, y.id());
}

// In runs and maps, and of parameters.
TEST(Inspect, FindsAnInfiniteGradientInRunsAndMaps) {
  Tape<double> tape;
  const Leaves<double> w = tape.Parameters(std::vector<double>{1, 0, 4, 2});
  std::vector<V> roots;
  for (size_t k = 0; k < 4; ++k) roots.push_back(sqrt(w[k]));
  V s = 0.0;
  for (size_t k = 0; k < 4; ++k) s += roots[k] * w[k];
  tape.Backward(s + w[1]);
  auto found = FindNonFiniteGradient(tape);
  ASSERT_FALSE(found.has_value()) << found->message;  // Its adjoint is the weight, 0.
  V t = 0.0;
  for (size_t k = 0; k < 4; ++k) t += roots[k];
  tape.Backward(t);
  found = FindNonFiniteGradient(tape);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->op, Op::kSqrt);
  EXPECT_EQ(found->id, roots[1].id());
}

TEST(Inspect, OfPacksAndDuals) {
  using P = Value<tape::Pack4d>;
  Tape<tape::Pack4d> packed;
  tape::Pack4d numbers(1);
  numbers.v[2] = -1;
  const P x = numbers;
  const P y = log(x) * 2.0;
  packed.Backward(y);
  const auto found = FindNonFinite(packed);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->op, Op::kLog);
  EXPECT_THAT(found->message, HasSubstr("= [1, 1, -1, 1]"));
  EXPECT_FALSE(FindNonFiniteGradient(packed).has_value());
  EXPECT_THAT(ToDot(packed, y, {.gradients = true}), HasSubstr("gradient [2, 2, -2, 2]"));

  using D = Value<Dual<double>>;
  Tape<Dual<double>> duals;
  const D zero = Dual<double>(0, 1);
  const D root = sqrt(zero);
  duals.Backward(root);
  ASSERT_TRUE(FindNonFinite(duals).has_value());  // The root's direction is infinite.
  EXPECT_EQ(FindNonFinite(duals)->op, Op::kSqrt);
  EXPECT_THAT(ToDot(duals, root), HasSubstr("0 (direction 1)"));
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
  EXPECT_THAT(ToDot(tape, y, {.names = {{y.id(), "a \"b\" \\c"}}}),
              HasSubstr("label=\"a \\\"b\\\" \\\\c\\n"));
  EXPECT_THAT(ToDot(tape, y, {.max_nodes = 2}), HasSubstr("more [shape=plaintext"));
}

TEST(Inspect, GraphShowsCallsAndEndsWhereItIsCut) {
  Tape<double> tape;
  const V x = 2.0, y = 3.0;
  const std::vector<V> in = {x, y};
  const auto segment = [](std::span<const V> in) {
    return std::vector<V>{in[0] * in[1], in[0] + in[1]};
  };
  const std::vector<V> out = tape.Call(segment, in);
  for (const V& value : out) {
    const std::string graph = ToDot(tape, value);
    EXPECT_THAT(graph, HasSubstr("shape=ellipse, label=\"call\\n"));
    for (const V& input : in) {
      EXPECT_THAT(graph, HasSubstr(absl::StrCat("n", input.id(), " -> n", value.id(), ";")));
    }
    EXPECT_THAT(Describe(tape, value.id()), HasSubstr("call of id "));
  }
  // No edge comes from a node that is not there.
  const V root = exp(x * y) + exp(x - y);
  DotOptions options;
  options.max_nodes = 2;
  const std::string graph = ToDot(tape, root, options);
  EXPECT_THAT(graph, HasSubstr("more [shape=plaintext"));
  EXPECT_THAT(graph, HasSubstr(absl::StrCat("more -> n", root.id(), ";")));
  for (Id id = 0; id <= root.id(); ++id) {
    if (graph.find(absl::StrCat("n", id, " [shape=")) != std::string::npos) continue;
    EXPECT_EQ(graph.find(absl::StrCat("n", id, " -> ")), std::string::npos) << id;
  }
}

}  // namespace
}  // namespace mlp::autograd
