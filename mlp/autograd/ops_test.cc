// Every op of the tape, in every number type, with other numbers in each sample, against the
// textbook's derivatives: by itself and as a map, of inputs and of parameters; and that none of
// them has a part in what does not depend on it.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "mlp/autograd/dual.h"
#include "mlp/autograd/tape.h"
#include "mlp/autograd/value.h"
#include "mlp/reference/scalar_tape.h"

namespace mlp::autograd {
namespace {

// A row of tape_ops.inc on values of T.
template <class T>
struct Row {
  std::string name;
  bool binary = false;
  bool number = false;  // whether operand b is a plain number
  std::function<Value<T>(const Value<T>&, const Value<T>&)> record;
};

template <class T>
std::vector<Row<T>> Rows() {
  using V = Value<T>;
  std::vector<Row<T>> rows;
#define MLP_BINARY(functor, name)                                                            \
  rows.push_back({#name, true, tape::HasNumber(Op::k##functor), [](const V& a, const V& b) { \
                    return RecordOp<Op::k##functor, tape::functor, T>(a, b);                 \
                  }});
#define MLP_UNARY(functor, name)                                                                   \
  rows.push_back({#name, false, false, [](const V& a, const V&) {                                  \
                    const T y = tape::functor::Value(a.value());                                   \
                    Recorder<T>& recorder = *Recorder<T>::current;                                 \
                    return V::Recorded(y,                                                          \
                                       recorder.template Record<Op::k##functor, 1>(a.id(), 0, y)); \
                  }});
#include "mlp/kernels/tape/tape_ops.inc"
  return rows;
}

struct Expected {
  double value = 0;
  double da = 0, db = 0;
};

Expected Textbook(const std::string& name, double a, double b) {
  if (name == "keep_number") return {b == 0 ? 0 : a, b == 0 ? 0.0 : 1.0};
  reference::ScalarTape tape;
  const size_t x = tape.Input(a), z = tape.Input(b);
  // number_sub is b - a, add_number a + b.
  std::string op = name;
  bool swapped = false;
  if (op.starts_with("number_")) {
    op = op.substr(7);
    swapped = true;
  } else if (op.ends_with("_number")) {
    op = op.substr(0, op.size() - 7);
  }
  const size_t y = swapped ? tape.Apply(op, z, x) : tape.Apply(op, x, z);
  const std::vector<double> gradient = tape.Gradient(y);
  return {tape.value(y), gradient[x], gradient[z]};
}

constexpr int kElements = 5;  // of a map

// Some operands for element k in this sample; a is above 0, or within (-1, 1), where the op asks
// for it.
double OperandA(const std::string& name, int k, int lane) {
  constexpr std::array kNumbers = {-3.5, -1.0, -0.25, 0.125, 0.5, 1.0, 2.75, 1.5, -0.625};
  const double a = kNumbers[(2 * k + 5 * lane) % kNumbers.size()];
  if (name == "asin" || name == "acos") return a / 4;
  return name.starts_with("log") || name == "sqrt" || name.starts_with("pow") ? std::abs(a) : a;
}
double OperandB(const std::string& name, int k, int lane) {
  constexpr std::array kNumbers = {-1.25, 0.75, 3.0, -0.5, 2.0, 0.375, -2.5};
  if (name == "keep_number" && (k + lane) % 3 == 0) return 0;
  return kNumbers[(3 * k + 2 * lane) % kNumbers.size()];
}
// What the element's result is multiplied by: its adjoint, 0 in some samples.
double Weight(int k, int lane) { return (k + lane) % 4 == 1 ? 0 : 0.5 + 0.25 * (k - lane % 3); }

template <class T>
class Ops : public ::testing::Test {
 protected:
  using V = Value<T>;
  using Element = typename Tape<T>::Element;
  static constexpr int kWidth = tape::PackTraits<T>::kWidth;

  static Element Lane(const T& number, [[maybe_unused]] int lane) {
    if constexpr (kWidth == 1) {
      return number;
    } else {
      return number[static_cast<size_t>(lane)];
    }
  }
  static T Pack(const std::function<double(int lane)>& number) {
    T result(0);
    for (int lane = 0; lane < kWidth; ++lane) {
      if constexpr (kWidth == 1) {
        result = static_cast<Element>(number(lane));
      } else {
        result.v[lane] = static_cast<Element>(number(lane));
      }
    }
    return result;
  }
  // Up to rounding errors of a few operations.
  static void ExpectNear(double actual, double expected) {
    const double ulp = std::numeric_limits<Element>::epsilon();
    EXPECT_NEAR(actual, expected, 32 * ulp * std::max(1.0, std::abs(expected)));
  }
  // root = sum of weight[k] * y[k].
  static void Backward(Tape<T>& tape, const std::vector<V>& y) {
    V root;
    for (int k = 0; k < kElements; ++k) {
      root = root + y[k] * V(Pack([k](int lane) { return Weight(k, lane); }));
    }
    tape.Backward(root);
  }
};

using Numbers =
    ::testing::Types<float, double, tape::Pack8f, tape::Pack16f, tape::Pack4d, tape::Pack8d>;
TYPED_TEST_SUITE(Ops, Numbers);

TYPED_TEST(Ops, MatchTheTextbookInEverySample) {
  using V = Value<TypeParam>;
  for (const auto& row : Rows<TypeParam>()) {
    for (const bool map : {false, true}) {
      SCOPED_TRACE(row.name + (map ? ", a map" : ""));
      Tape<TypeParam> tape;
      // A plain number is the same for a whole map.
      const auto b_of = [&](int k, int lane) {
        return OperandB(row.name, row.number ? 0 : k, lane);
      };
      std::vector<V> a, b, y;
      for (int k = 0; k < kElements; ++k) {
        a.push_back(this->Pack([&](int lane) { return OperandA(row.name, k, lane); }));
      }
      for (int k = 0; k < (row.number ? 1 : kElements); ++k) {
        b.push_back(this->Pack([&](int lane) { return b_of(k, lane); }));
      }
      const size_t before = tape.records();
      for (int k = 0; k < kElements; ++k) {
        y.push_back(row.record(a[k], b[row.number ? 0 : k]));
        if (!map) y.back() = y.back() + this->Pack([](int) { return 0; });
      }
      EXPECT_EQ(tape.records() - before, map ? 1 : 2 * kElements);
      this->Backward(tape, y);
      for (int k = 0; k < kElements; ++k) {
        for (int lane = 0; lane < this->kWidth; ++lane) {
          SCOPED_TRACE("element " + std::to_string(k) + ", sample " + std::to_string(lane));
          const Expected expected = Textbook(row.name, OperandA(row.name, k, lane), b_of(k, lane));
          const double weight = Weight(k, lane);
          this->ExpectNear(this->Lane(y[k].value(), lane), expected.value);
          this->ExpectNear(this->Lane(a[k].gradient(), lane), weight * expected.da);
          if (row.binary && !row.number) {
            this->ExpectNear(this->Lane(b[k].gradient(), lane), weight * expected.db);
          }
        }
      }
    }
  }
}

// Parameters are the same in all samples, and their gradients are those of all together.
TYPED_TEST(Ops, MatchTheTextbookOnParameters) {
  using V = Value<TypeParam>;
  for (const auto& row : Rows<TypeParam>()) {
    SCOPED_TRACE(row.name);
    Tape<TypeParam> tape;
    std::vector<typename Tape<TypeParam>::Element> numbers(2 * kElements);
    for (int k = 0; k < kElements; ++k) {
      numbers[k] = OperandA(row.name, k, 0);
      numbers[kElements + k] = OperandB(row.name, row.number ? 0 : k, 0);
    }
    const Leaves<TypeParam> w = tape.Parameters(numbers);
    std::vector<V> y;
    for (int k = 0; k < kElements; ++k) {
      y.push_back(row.record(w[k], w[kElements + (row.number ? 0 : k)]));
    }
    this->Backward(tape, y);
    for (int k = 0; k < kElements; ++k) {
      SCOPED_TRACE("element " + std::to_string(k));
      const Expected expected = Textbook(row.name, numbers[k], numbers[kElements + k]);
      double weights = 0;
      for (int lane = 0; lane < this->kWidth; ++lane) weights += Weight(k, lane);
      this->ExpectNear(tape.gradients()[k], weights * expected.da);
      if (row.binary && !row.number) {
        this->ExpectNear(tape.gradients()[kElements + k], weights * expected.db);
      }
    }
  }
}

// Where the root does not depend on an op its derivative does not matter, be it infinite or NaN.
TYPED_TEST(Ops, HaveNoPartInWhatDoesNotDependOnThem) {
  using V = Value<TypeParam>;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const auto& row : Rows<TypeParam>()) {
    for (const double bad : {0.0, -1.0, kInfinity, -kInfinity, std::nan("")}) {
      for (const int records : {1, 2}) {  // The second makes a map of them.
        SCOPED_TRACE(row.name + " of " + std::to_string(bad));
        Tape<TypeParam> tape;
        std::vector<V> a, b, y;
        for (int k = 0; k < records; ++k) a.push_back(this->Pack([&](int) { return bad; }));
        for (int k = 0; k < records; ++k) b.push_back(this->Pack([&](int) { return bad; }));
        for (int k = 0; k < records; ++k) y.push_back(row.record(a[k], b[row.number ? 0 : k]));
        // Of packs one sample depends on it, the others do not.
        const V root = keep(y.back(), this->Pack([](int lane) { return lane == 1; })) + 1.0;
        tape.Backward(root);
        for (int k = 0; k < records; ++k) {
          for (int lane = 0; lane < this->kWidth; ++lane) {
            if (lane == 1 && k == records - 1) continue;
            EXPECT_EQ(this->Lane(a[k].gradient(), lane), 0);
            EXPECT_EQ(this->Lane(b[k].gradient(), lane), 0);
          }
        }
      }
    }
  }
}

TYPED_TEST(Ops, RunsHaveNoPartInWhatDoesNotDependOnThem) {
  using V = Value<TypeParam>;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr int kTerms = 6;
  // Both factors of inputs, one a parameter, both parameters, and runs across the border.
  for (const int parameters : {0, kTerms, 2 * kTerms, kTerms / 2, kTerms + kTerms / 2}) {
    SCOPED_TRACE(parameters);
    Tape<TypeParam> tape;
    using Element = typename Tape<TypeParam>::Element;
    const Leaves<TypeParam> w =
        tape.Parameters(std::vector<Element>(parameters, static_cast<Element>(kInfinity)));
    std::vector<V> x;
    for (int k = 0; k < parameters; ++k) x.push_back(w[k]);
    for (int k = parameters; k < 2 * kTerms; ++k) {
      x.push_back(this->Pack([](int lane) { return lane == 1 ? 1.0 : kInfinity; }));
    }
    V s = 1.0;
    for (int k = 0; k < kTerms; ++k) s += x[k] * x[kTerms + k];
    tape.Backward(keep(s, this->Pack([](int lane) { return lane == 1; })) + 1.0);
    for (int k = parameters; k < 2 * kTerms; ++k) {
      for (int lane = 0; lane < this->kWidth; ++lane) {
        if (lane != 1) {
          EXPECT_EQ(this->Lane(x[k].gradient(), lane), 0) << k;
        }
      }
    }
    // Their other factors are 1 in the sample that counts, unless these are parameters.
    for (int k = 0; k < std::min(parameters, kTerms); ++k) {
      if (k + kTerms < parameters) continue;
      EXPECT_EQ(tape.gradients()[k], this->kWidth > 1) << k;
    }
  }
}

// Sums that products are subtracted from; of inputs, of parameters, and across the border.
TYPED_TEST(Ops, SubtractedRunsMatchPlainNumbers) {
  using V = Value<TypeParam>;
  using Element = typename Tape<TypeParam>::Element;
  constexpr int kTerms = 6;
  for (const int parameters : {0, kTerms, 2 * kTerms, kTerms / 2}) {
    SCOPED_TRACE(parameters);
    Tape<TypeParam> tape;
    const auto number = [&](int i, int lane) { return OperandB("", i, i < parameters ? 0 : lane); };
    std::vector<Element> initial;
    for (int i = 0; i < parameters; ++i) initial.push_back(static_cast<Element>(number(i, 0)));
    const Leaves<TypeParam> w = tape.Parameters(initial);
    std::vector<V> x;
    for (int i = 0; i < 2 * kTerms; ++i) {
      x.push_back(i < parameters ? V(w[i])
                                 : V(this->Pack([&](int lane) { return number(i, lane); })));
    }
    V s = 0.5;
    for (int k = 0; k < kTerms; ++k) s -= x[k] * x[kTerms + k];
    const V y = s * 2.0;
    tape.Backward(y);
    std::vector<double> of_parameters(2 * kTerms);
    for (int lane = 0; lane < this->kWidth; ++lane) {
      double plain = 0.5;
      for (int k = 0; k < kTerms; ++k) plain -= number(k, lane) * number(kTerms + k, lane);
      this->ExpectNear(this->Lane(s.value(), lane), plain);
      this->ExpectNear(this->Lane(y.value(), lane), 2 * plain);
      for (int i = 0; i < 2 * kTerms; ++i) {
        const double expected = -2 * number((i + kTerms) % (2 * kTerms), lane);
        of_parameters[i] += expected;
        if (i >= parameters) this->ExpectNear(this->Lane(x[i].gradient(), lane), expected);
      }
    }
    for (int i = 0; i < parameters; ++i) this->ExpectNear(tape.gradients()[i], of_parameters[i]);
  }
}

TEST(OpsTest, OfAHessianHaveNoPartInWhatDoesNotDependOnThem) {
  const auto f = [](auto x) {
    auto d = x[0] - x[1];
    auto root = sqrt(d * d);
    return root > 0.0 ? 1.0 / root : x[0] * x[0];
  };
  const HessianProduct h =
      HessianVectorProduct(f, std::vector<double>{3, 3}, std::vector<double>{1, 0});
  EXPECT_EQ(h.gradient, (std::vector<double>{6, 0}));
  EXPECT_EQ(h.product, (std::vector<double>{2, 0}));
}

// Only these have passes; what else is asked for is told so by the compiler.
static_assert(tape::kHasPasses<double> && tape::kHasPasses<tape::Pack16f>);
static_assert(!tape::kHasPasses<tape::Pack<float, 4>> && !tape::kHasPasses<int>);

}  // namespace
}  // namespace mlp::autograd
