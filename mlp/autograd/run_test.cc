// Runs: what becomes one record, what ends it, and that none of it shows in a derivative.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "mlp/autograd/tape.h"
#include "mlp/autograd/value.h"

namespace mlp::autograd {
namespace {

using V = Value<double>;

// w[i] = i + 1, x[i] = 1 / (i + 2).
class Run : public ::testing::Test {
 protected:
  Run() {
    for (int i = 0; i < kTerms; ++i) w_.emplace_back(W(i));
    for (int i = 0; i < kTerms; ++i) x_.emplace_back(X(i));
    mark_ = tape_.Mark();
  }
  static double W(int i) { return i + 1; }
  static double X(int i) { return 1.0 / (i + 2); }
  // How many records and ids there are beyond the inputs.
  size_t records() const { return tape_.records(); }
  size_t ids() const { return tape_.size() - mark_.size; }

  static constexpr int kTerms = 50;
  Tape<double> tape_;
  std::vector<V> w_, x_;
  TapeMark mark_{};
};

TEST_F(Run, SumOfProductsIsOneRecord) {
  V s = 0.5;
  double plain = 0.5;
  for (int i = 0; i < kTerms; ++i) {
    s += w_[i] * x_[i];
    plain += W(i) * X(i);
    EXPECT_EQ(s.value(), plain);  // At any time, to the last bit.
  }
  const V y = s * s;
  tape_.Backward(y);
  EXPECT_EQ(records(), 2u);
  EXPECT_EQ(ids(), 3u);  // 0.5, the sum, y.
  for (int i = 0; i < kTerms; ++i) {
    EXPECT_EQ(w_[i].gradient(), 2 * plain * X(i));
    EXPECT_EQ(x_[i].gradient(), 2 * plain * W(i));
  }
}

TEST_F(Run, SubtractedProductsAreOneRecordToo) {
  V s = 0.5;
  double plain = 0.5;
  for (int i = 0; i < kTerms; ++i) {
    s -= w_[i] * x_[i];
    plain -= W(i) * X(i);
    EXPECT_EQ(s.value(), plain);
  }
  const V y = s * s;
  tape_.Backward(y);
  EXPECT_EQ(records(), 2u);
  EXPECT_EQ(ids(), 3u);  // 0.5, the sum, y.
  for (int i = 0; i < kTerms; ++i) {
    EXPECT_EQ(w_[i].gradient(), -2 * plain * X(i));
    EXPECT_EQ(x_[i].gradient(), -2 * plain * W(i));
  }
}

// A run adds or subtracts, and a product that somebody has is a value.
TEST_F(Run, AdditionsAndSubtractionsTakeTurns) {
  V s = 0.5;
  double plain = 0.5;
  for (int i = 0; i < kTerms / 2; ++i) s += w_[i] * x_[i];
  for (int i = kTerms / 2; i < kTerms; ++i) s -= w_[i] * x_[i];
  const V kept = w_[0] * x_[1];
  s -= kept;
  s -= 1.5;
  V p = w_[2] * x_[2];
  V& itself = p;
  p -= std::move(itself);
  for (int i = 0; i < kTerms; ++i) plain += (i < kTerms / 2 ? 1 : -1) * W(i) * X(i);
  EXPECT_EQ(s.value(), plain - W(0) * X(1) - 1.5);
  EXPECT_EQ(p.value(), 0);
  tape_.Backward(s + p);
  EXPECT_EQ(w_[0].gradient(), X(0) - X(1));
  EXPECT_EQ(x_[1].gradient(), W(1) - W(0));
  for (int i = 2; i < kTerms; ++i) {
    EXPECT_EQ(w_[i].gradient(), (i < kTerms / 2 ? 1 : -1) * X(i)) << i;
  }
}

// What does not make runs is right, too; what moves does.
TEST_F(Run, SumsThatAreAssigned) {
  V s = 0.0, t = 0.0;
  double plain = 0;
  for (int i = 0; i < kTerms; ++i) {
    s = s + w_[i] * x_[i];
    plain += W(i) * X(i);
  }
  EXPECT_EQ(records(), 2u * kTerms);
  for (int i = 0; i < kTerms; ++i) t = std::move(t) + w_[i] * x_[i];
  EXPECT_EQ(records(), 2u * kTerms + 1);
  EXPECT_EQ(s.value(), plain);
  EXPECT_EQ(t.value(), plain);
  tape_.Backward(s + t);
  for (int i = 0; i < kTerms; ++i) EXPECT_EQ(w_[i].gradient(), 2 * X(i));
}

TEST_F(Run, SumIsOneRecord) {
  V s = w_[3];
  double plain = W(3);
  for (int i = 0; i < kTerms; ++i) {
    s += x_[i];
    plain += X(i);
  }
  EXPECT_EQ(s.value(), plain);
  const V y = exp(-s);
  tape_.Backward(y);
  EXPECT_EQ(records(), 3u);
  for (int i = 0; i < kTerms; ++i) EXPECT_EQ(x_[i].gradient(), -y.value());
  EXPECT_EQ(w_[3].gradient(), -y.value());
}

TEST_F(Run, MapsAreOneRecord) {
  std::vector<V> y, z, p;
  for (int i = 0; i < kTerms; ++i) y.push_back(tanh(x_[i]));
  for (int i = 0; i < kTerms; ++i) z.push_back(y[i] / w_[i]);
  for (int i = 0; i < kTerms; ++i) p.push_back(z[i] * x_[i]);
  EXPECT_EQ(records(), 3u);
  V s;
  for (int i = 0; i < kTerms; ++i) s += p[i];
  tape_.Backward(s);
  EXPECT_EQ(records(), 4u);
  for (int i = 0; i < kTerms; ++i) {
    const double t = std::tanh(X(i));
    EXPECT_NEAR(x_[i].gradient(), ((1 - t * t) * X(i) + t) / W(i), 1e-15);
    EXPECT_NEAR(w_[i].gradient(), -t * X(i) / (W(i) * W(i)), 1e-15);
  }
}

// An op with a plain number on a whole layer, too.
TEST_F(Run, MapsWithNumbers) {
  std::vector<V> y, z, p;
  for (int i = 0; i < kTerms; ++i) y.push_back(x_[i] * 3.0);
  for (int i = 0; i < kTerms; ++i) z.push_back(2.0 - y[i]);
  for (int i = 0; i < kTerms; ++i) p.push_back(pow(z[i], 2));
  EXPECT_EQ(records(), 3u);
  V s;
  for (int i = 0; i < kTerms; ++i) s += p[i];
  tape_.Backward(s);
  for (int i = 0; i < kTerms; ++i) {
    EXPECT_NEAR(p[i].value(), (2 - 3 * X(i)) * (2 - 3 * X(i)), 1e-15);
    EXPECT_NEAR(x_[i].gradient(), -6 * (2 - 3 * X(i)), 1e-14);
  }
}

// The root may be in the middle of a map.
TEST_F(Run, RootInsideAMap) {
  std::vector<V> y;
  for (int i = 0; i < kTerms; ++i) y.push_back(exp(x_[i]));
  tape_.Backward(y[7]);
  for (int i = 0; i < kTerms; ++i) {
    EXPECT_EQ(x_[i].gradient(), i == 7 ? std::exp(X(7)) : 0.0);
  }
}

// Each op on the result of the one before: equal ops on consecutive ids, but no map.
TEST_F(Run, AChainIsNoMap) {
  V y = x_[0];
  double plain = X(0);
  for (int i = 0; i < 100; ++i) {
    y = sin(y);
    plain = std::sin(plain);
  }
  EXPECT_EQ(records(), 100u);
  tape_.Backward(y);
  double slope = 1;
  double at = X(0);
  for (int i = 0; i < 100; ++i) {
    slope *= std::cos(at);
    at = std::sin(at);
  }
  EXPECT_NEAR(x_[0].gradient(), slope, 1e-14);
}

TEST_F(Run, SeveralSumsGrowAtOnce) {
  V s = 0.0, t = 1.0, u;
  for (int i = 0; i < kTerms; ++i) {
    s += w_[i] * x_[i];
    t += x_[i] * x_[i];
    u += w_[i];
  }
  const V y = s * t - u;
  tape_.Backward(y);
  EXPECT_EQ(records(), 5u);
  for (int i = 0; i < kTerms; ++i) {
    EXPECT_NEAR(x_[i].gradient(), W(i) * t.value() + 2 * X(i) * s.value(), 1e-12);
    EXPECT_NEAR(w_[i].gradient(), X(i) * t.value() - 1, 1e-12);
  }
}

// A copy keeps the sum as it was, and its derivatives.
TEST_F(Run, ACopyEndsTheRun) {
  V s = 0.0;
  std::vector<V> partial;
  for (int i = 0; i < kTerms; ++i) {
    s += w_[i] * x_[i];
    if (i % 10 == 4) partial.push_back(s);
  }
  ASSERT_EQ(partial.size(), 5u);
  tape_.Backward(partial[1] * s);
  double at_14 = 0, total = 0;
  for (int i = 0; i < kTerms; ++i) {
    total += W(i) * X(i);
    if (i == 14) at_14 = total;
  }
  EXPECT_EQ(partial[1].value(), at_14);
  EXPECT_EQ(s.value(), total);
  for (int i = 0; i < kTerms; ++i) {
    const double expected = (i <= 14 ? total : 0) + at_14;
    EXPECT_NEAR(w_[i].gradient(), expected * X(i), 1e-12) << i;
  }
}

TEST_F(Run, UseOfTheSumEndsTheRun) {
  V s = 0.0;
  V used;
  for (int i = 0; i < kTerms; ++i) {
    s += w_[i] * x_[i];
    if (i == 20) used = s * 2.0;
  }
  tape_.Backward(used * s);
  double at_20 = 0, total = 0;
  for (int i = 0; i < kTerms; ++i) {
    total += W(i) * X(i);
    if (i == 20) at_20 = total;
  }
  EXPECT_DOUBLE_EQ(used.value(), 2 * at_20);
  for (int i = 0; i < kTerms; ++i) {
    const double expected = (i <= 20 ? 2 * total : 0) + 2 * at_20;
    EXPECT_NEAR(w_[i].gradient(), expected * X(i), 1e-11) << i;
  }
}

// The sum is a factor of its own terms; the other factors' ids lead up to it.
TEST_F(Run, TheSumAsAFactorOfItsTerms) {
  V s = x_[0];
  double v = X(0), ds = 1;  // derivative with respect to x_[0]
  for (int i = 0; i < 8; ++i) {
    s += w_[i] * s;
    ds += W(i) * ds;
    v += W(i) * v;
  }
  tape_.Backward(s);
  EXPECT_DOUBLE_EQ(s.value(), v);
  EXPECT_DOUBLE_EQ(x_[0].gradient(), ds);
  const V a = 2.0, b = 3.0;
  V t = 0.0;   // ids a, b, 0.0, then the sum
  t += a * a;  // the next term in line would be b * b,
  t += b * b;
  V u = t;
  u += u * u;  // and these reach the sum itself
  u += u * t;
  tape_.Backward(u);
  // t = a^2 + b^2, u = (t + t^2) (1 + t).
  const double tv = 13;
  EXPECT_DOUBLE_EQ(u.value(), (tv + tv * tv) * (1 + tv));
  EXPECT_DOUBLE_EQ(a.gradient(), ((1 + 2 * tv) * (1 + tv) + tv + tv * tv) * 4);
}

TEST_F(Run, DoublingByItself) {
  V s = x_[0];
  for (int i = 0; i < 10; ++i) s += s;
  tape_.Backward(s);
  EXPECT_EQ(s.value(), 1024 * X(0));
  EXPECT_EQ(x_[0].gradient(), 1024);
}

// A product that has a name is a value like any other.
TEST_F(Run, NamedProductsAreKept) {
  V s = 0.0;
  std::vector<V> products;
  for (int i = 0; i < kTerms; ++i) {
    V p = w_[i] * x_[i];
    s += p;
    products.push_back(p * 2.0);
  }
  V t = s * 1.0;
  for (const V& p : products) t += p;
  tape_.Backward(t);
  for (int i = 0; i < kTerms; ++i) EXPECT_NEAR(w_[i].gradient(), 3 * X(i), 1e-14);
}

TEST_F(Run, AProductAddedToItselfIsTwiceTheProduct) {
  V p = w_[2] * x_[3];
  V& itself = p;
  p += std::move(itself);
  tape_.Backward(p);
  EXPECT_EQ(p.value(), 2 * W(2) * X(3));
  EXPECT_EQ(w_[2].gradient(), 2 * X(3));
  EXPECT_EQ(x_[3].gradient(), 2 * W(2));
}

struct Cell {
  V held;
  V Get() const { return held; }
};

TEST_F(Run, ACopyOfAKeptProductIsNoTemporary) {
  V s = 0.0;
  Cell cell;
  V others = 0.0;
  for (int i = 0; i < kTerms; ++i) {
    cell.held = w_[i] * x_[i];
    s += cell.Get();
    others += exp(cell.held) * 1.0;
  }
  tape_.Backward(s + others);
  for (int i = 0; i < kTerms; ++i) {
    EXPECT_NEAR(w_[i].gradient(), X(i) * (1 + std::exp(W(i) * X(i))), 1e-12);
  }
}

// Moving hands the growing sum on.
TEST_F(Run, MovedSumsGoOnGrowing) {
  V s = 0.0;
  for (int i = 0; i < kTerms; ++i) {
    V t = std::move(s);
    t += w_[i] * x_[i];
    s = std::move(t);
  }
  tape_.Backward(s);
  EXPECT_EQ(records(), 1u);
  for (int i = 0; i < kTerms; ++i) EXPECT_EQ(w_[i].gradient(), X(i));
}

TEST_F(Run, AMovedFromSumIsZero) {
  V s = 0.0;
  s += w_[0] * x_[0];
  s += w_[1] * x_[1];
  V t = std::move(s);
  EXPECT_EQ(s.value(), 0);  // NOLINT: this is what is asked
  s += w_[2] * x_[2];
  tape_.Backward(t + s);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(w_[i].gradient(), X(i));
}

// The same operand again and again, steps of two, and overlapping ranges.
TEST_F(Run, OtherPatternsAreRight) {
  V s = 0.0;
  for (int i = 0; i < kTerms; ++i) s += w_[0] * x_[i];
  for (int i = 0; i < kTerms; i += 2) s += w_[i] * x_[i];
  for (int i = 0; i + 1 < kTerms; ++i) s += x_[i] * x_[i + 1];
  for (int i = kTerms - 1; i >= 0; --i) s += w_[i] * x_[i];
  tape_.Backward(s);
  double sum_x = 0;
  for (int i = 0; i < kTerms; ++i) sum_x += X(i);
  EXPECT_NEAR(w_[0].gradient(), sum_x + 2 * X(0), 1e-13);
  EXPECT_NEAR(w_[1].gradient(), X(1), 1e-14);
  EXPECT_NEAR(x_[4].gradient(), W(0) + 2 * W(4) + X(3) + X(5), 1e-13);
}

// Values that are copied on the way, as in `for (V w : ...)`, do not disturb the run.
TEST_F(Run, CopiesOfOperandsDoNotEndTheRun) {
  V s = 0.0;
  for (int i = 0; i < kTerms; ++i) {
    const V w = w_[i];
    V x = x_[i];
    s += w * x;
  }
  tape_.Backward(s);
  EXPECT_EQ(records(), 1u);
}

// A growing sum that is dropped leaves nothing behind that matters.
TEST_F(Run, TermsThatNobodyElseHasAreTermsToo) {
  V s = 0.5, t = 0.5;
  double plain = 0.5;
  for (int i = 0; i < kTerms; ++i) {
    s += V(x_[i]);
    t += std::move(w_[i]);
    plain += X(i);
    EXPECT_EQ(s.value(), plain);
  }
  tape_.Backward(s * t);
  EXPECT_EQ(records(), 3u);
  EXPECT_EQ(tape_.gradient(s.id()), t.value());
  for (int i = 0; i < kTerms; ++i) EXPECT_EQ(x_[i].gradient(), t.value()) << i;
  for (Id id = tape::kFirstId; id < tape::kFirstId + kTerms; ++id) {
    EXPECT_EQ(tape_.gradient(id), s.value()) << id;
  }
}

TEST_F(Run, AnOpOnNothingJoinsNoMap) {
  const V a, b;
  const V x = 2;
  const V sum = a + b;
  tape_.Backward(x * (sum + x));
  EXPECT_EQ(x.gradient(), 4);

  tape_.Rewind(mark_);
  const V first = w_[0] + x_[0];
  const V second = w_[1] + x_[1];  // a map
  const TapeMark after = tape_.Mark();
  for (int i = 0; i < 2; ++i) {
    tape_.Rewind(after);
    const V nothing = a + b;
    EXPECT_EQ(nothing.value(), 0);
    tape_.Backward((nothing + 1) * w_[2]);
    EXPECT_EQ(w_[0].gradient(), 0);
    EXPECT_EQ(w_[2].gradient(), 1);
  }
  tape_.Backward(first * second);
  EXPECT_EQ(w_[0].gradient(), second.value());
}

TEST_F(Run, DroppedSums) {
  for (int k = 0; k < 300; ++k) {
    V dropped = 0.0;
    for (int i = 0; i < kTerms; ++i) dropped += w_[i] * x_[i];
    EXPECT_GT(dropped.value(), 0);
  }
  const V y = x_[1] * x_[2];
  tape_.Backward(y);
  EXPECT_EQ(x_[1].gradient(), X(2));
  EXPECT_EQ(w_[1].gradient(), 0);
}

// The gradient that data does not have costs nothing; what is computed from data has one.
TEST_F(Run, DataHasNoGradient) {
  const std::vector<double> numbers = {1, 2, 3, 4};
  const Leaves<double> data = tape_.Data(numbers);
  V s = 0.0;
  for (int i = 0; i < 4; ++i) s += w_[i] * data[i];
  V t = 0.0;
  for (int i = 0; i < 4; ++i) t += data[i] * data[i];
  const V y = s * t + data[2] * data[1];
  tape_.Backward(y);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(w_[i].gradient(), numbers[i] * 30);
  EXPECT_EQ(y.value(), 30 * 30 + 6);
}

TEST_F(Run, AMovedSumBesideItself) {
  V s = 0.0;
  s += x_[0] * w_[0];
  s += x_[1] * w_[1];
  const double once = x_[0].value() * w_[0].value() + x_[1].value() * w_[1].value();
  s = std::move(s) + s;
  EXPECT_EQ(s.value(), 2 * once);
  tape_.Backward(s);
  EXPECT_EQ(w_[0].gradient(), 2 * x_[0].value());
  V q = 0.0;
  q += x_[0];
  q += x_[1];
  q = std::move(q) + std::move(q);
  EXPECT_EQ(q.value(), 2 * (x_[0].value() + x_[1].value()));
}

}  // namespace
}  // namespace mlp::autograd
