// What debug builds check: values are used on the tape, and in the recording, that they belong to.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "mlp/autograd/tape.h"
#include "mlp/autograd/value.h"

namespace mlp::autograd {
namespace {

using V = Value<double>;

class ChecksDeathTest : public ::testing::Test {
 protected:
  ChecksDeathTest() { GTEST_FLAG_SET(death_test_style, "fast"); }
};

TEST_F(ChecksDeathTest, UseAfterRewind) {
  Tape<double> tape;
  const V x = 2.0;
  const TapeMark mark = tape.Mark();
  const V y = exp(x);
  EXPECT_EQ((y + x).value(), y.value() + 2);
  tape.Rewind(mark);
  EXPECT_DEATH((y + x).value(), "used after the tape was rewound");
  const V z = exp(x) + x;  // The id is in use again.
  EXPECT_DEATH(tape.Backward(y), "used after the tape was rewound");
  tape.Backward(z);
}

TEST_F(ChecksDeathTest, GrowingSumsAndProducts) {
  Tape<double> tape;
  const V x = 2.0;
  const TapeMark mark = tape.Mark();
  V s = 1.0;
  s += x * x;
  auto product = x * s;
  tape.Rewind(mark);
  EXPECT_DEATH(s += x * x, "used after the tape was rewound");
  EXPECT_DEATH(exp(product).value(), "used after the tape was rewound");
}

TEST_F(ChecksDeathTest, ASumThatGrewAfterTheMark) {
  Tape<double> tape;
  const V x = 2.0, y = 3.0, z = 4.0;
  V s = x;
  s += y;
  const TapeMark mark = tape.Mark();
  s += z;
  tape.Rewind(mark);
  EXPECT_DEATH((s * 1.0).value(), "used after the tape was rewound");
}

TEST_F(ChecksDeathTest, AnotherTape) {
  Tape<double> outer;
  const V x = 2.0;
  Tape<double> inner;
  const V y = 3.0;
  EXPECT_DEATH((x * y).value(), "another tape than its own");
}

TEST_F(ChecksDeathTest, ParametersAndNumbersLive) {
  Tape<double> tape;
  const Leaves<double> w = tape.Parameters(std::vector<double>{1, 2});
  const V kept = w[0];
  const TapeMark mark = tape.Mark();
  for (int i = 0; i < 3; ++i) {
    tape.Rewind(mark);
    const V zero;
    V s = zero + kept;
    for (size_t k = 0; k < w.size(); ++k) s += w[k] * 2.0;
    tape.Backward(s);
  }
  EXPECT_EQ(tape.gradients()[0], 9);
}

TEST_F(ChecksDeathTest, NoTapeAndFullTape) {
  EXPECT_DEATH((void)V(1.0), "no tape on this thread");
  Tape<double> tape({.max_ids = 100});
  EXPECT_DEATH(
      {
        V y = 1.0;
        for (int i = 0; i < 200; ++i) y = exp(y);
      },
      "the tape is full \\(100 values");
  EXPECT_DEATH(((void)V(1.0), tape.Parameters(std::vector<double>{1})),
               "expected a tape with nothing but parameters on it");
}

TEST_F(ChecksDeathTest, AProductMayBeUsedAfterAMarkButNotWithoutItsFactors) {
  Tape<double> tape;
  const V x = 2.0;
  const TapeMark before = tape.Mark();
  const V y = 3.0;
  auto product = x * y;
  const TapeMark after = tape.Mark();
  for (int i = 0; i < 3; ++i) {
    tape.Rewind(after);
    tape.Backward(product + x);
    EXPECT_EQ(x.gradient(), 4);
  }
  tape.Rewind(before);
  EXPECT_DEATH((product + x).value(), "used after the tape was rewound");
  const V other = 7.0;  // In y's place.
  EXPECT_DEATH((product + other).value(), "used after the tape was rewound");
}

TEST_F(ChecksDeathTest, ACopyOfAProductThatWasFormedBeforeARewindIsARecordOfItsOwn) {
  Tape<double> tape;
  const V w = 2, h = 3;
  const V area = w * h;
  const TapeMark mark = tape.Mark();
  tape.Rewind(mark);
  V s = area;
  s = exp(s);
  tape.Backward(s + area);
  EXPECT_EQ(w.gradient(), 3 * std::exp(6.0) + 3);
  V moved_from = w * h;
  tape.Rewind(mark);
  const V moved = std::move(moved_from);
  EXPECT_EQ((moved + 1).value(), 7);
}

TEST_F(ChecksDeathTest, LeavesAfterARewind) {
  Tape<double> tape;
  const TapeMark mark = tape.Mark();
  const Leaves<double> x = tape.Inputs(std::vector<double>{1, 2});
  const Leaf<double> second = x[1];
  EXPECT_EQ((second * 2.0).value(), 4);
  tape.Rewind(mark);
  EXPECT_DEATH((x[0] * 2.0).value(), "used after the tape was rewound");
  for (int i = 0; i < 20; ++i) (void)V(1.0);  // In their place.
  EXPECT_DEATH((x[0] * 2.0).value(), "used after the tape was rewound");
  EXPECT_DEATH((void)V(second).value(), "used after the tape was rewound");
  EXPECT_DEATH((x[0] * x[1]).value(), "used after the tape was rewound");
  EXPECT_DEATH((void)x.Part(1, 1)[0].id(), "used after the tape was rewound");
  const Leaves<double> again = tape.Inputs(std::vector<double>{1, 2});
  Tape<double> other;
  EXPECT_DEATH((again[0] * 2.0).value(), "on another tape than its own");
}

TEST_F(ChecksDeathTest, LeavesWithoutATape) {
  Leaves<double> x;
  {
    Tape<double> tape;
    x = tape.Inputs(std::vector<double>{1, 2});
  }
  EXPECT_DEATH((void)x[0].value(), "no tape on this thread");
}

// Products and sums of packs are computed when they are asked for: too late.
TEST_F(ChecksDeathTest, ProductsOfPacksAfterARewind) {
  using P = Value<tape::Pack4d>;
  P sum;
  {
    Tape<tape::Pack4d> tape;
    const P x = 2.0;
    const TapeMark mark = tape.Mark();
    const P y = 3.0;
    P growing = 1.0;
    growing += x * y;
    auto product = x * y;
    tape.Rewind(mark);
    EXPECT_DEATH((void)product.value(), "used after the tape was rewound");
    EXPECT_DEATH((void)growing.value(), "used after the tape was rewound");
    sum = 1.0;
    sum += x * x;
    EXPECT_EQ(sum.value()[3], 5);
  }
  EXPECT_DEATH((void)sum.value(), "no tape on this thread");
}

TEST_F(ChecksDeathTest, ARootOnAnotherTape) {
  Tape<double> outer;
  const V x = 2.0;
  Tape<double> inner;
  const V y = 3.0;
  outer.Backward(x);
  EXPECT_DEATH(outer.Backward(y), "another tape than its own");
}

TEST_F(ChecksDeathTest, GradientOfADefaultValue) {
  Tape<double> tape;
  const V x = 2.0, zero;
  tape.Backward(x + zero);
  EXPECT_EQ(x.gradient(), 1);
  EXPECT_DEATH((void)zero.gradient(), "a default value has no gradient of its own");
}

TEST_F(ChecksDeathTest, AMarkThatWasRewoundPast) {
  Tape<double> tape;
  const V x = 2.0;
  const TapeMark mark = tape.Mark();
  EXPECT_GT(exp(x).value(), 0);
  const TapeMark stale = tape.Mark();
  tape.Rewind(mark);
  EXPECT_GT(exp(exp(x)).value(), 0);
  EXPECT_DEATH(tape.Rewind(stale), "expected a mark that the tape was not rewound past");
  tape.Rewind(mark);
}

TEST_F(ChecksDeathTest, AMarkOfAnotherTape) {
  Tape<double> a, b;
  const TapeMark of_b = b.Mark();
  const TapeMark of_a = a.Mark();
  EXPECT_DEATH(a.Rewind(of_b),
               "expected a mark that this tape's Mark\\(\\) made, found one of another");
  EXPECT_DEATH(b.Rewind(of_a), "expected a mark that this tape's Mark\\(\\) made");
  EXPECT_DEATH(a.Rewind(TapeMark{}), "expected a mark that this tape's Mark\\(\\) made");
  a.Rewind(of_a);
}

TEST_F(ChecksDeathTest, ATapeOnAnotherThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  constexpr char kMessage[] = "a tape was used or destroyed on another thread than its own";
  // It is still current on a thread that has ended.
  EXPECT_DEATH(
      {
        std::unique_ptr<Tape<double>> tape;
        std::thread([&] { tape = std::make_unique<Tape<double>>(); }).join();
        tape.reset();
      },
      kMessage);
  EXPECT_DEATH(
      {
        Tape<double> tape;
        std::thread([&] { (void)tape.Mark(); }).join();
      },
      kMessage);
  // Handed over.
  std::unique_ptr<Tape<double>> tape;
  std::thread([&] {
    tape = std::make_unique<Tape<double>>();
    tape->Deactivate();
  }).join();
  (void)tape->Mark();
  EXPECT_EQ(exp(V(0.0)).value(), 1);
  tape.reset();
}

TEST_F(ChecksDeathTest, AValueThatOutlivesItsTape) {
  V y;
  {
    Tape<double> tape;
    const V x = 2.0;
    y = x * x;
  }
  EXPECT_DEATH((void)y.gradient(), "no tape on this thread");
  EXPECT_DEATH((void)exp(y).value(), "no tape on this thread");
}

TEST_F(ChecksDeathTest, SegmentsDoNotDifferentiateAndRepeatThemselves) {
  Tape<double> tape;
  const V x = 2.0;
  const std::vector<V> in = {x};
  EXPECT_DEATH((void)tape.Call(
                   [&](std::span<const V> in) {
                     const V y = in[0] * in[0];
                     tape.Backward(y);
                     return std::vector<V>{y};
                   },
                   in),
               "expected no segment of a checkpoint at work");
  int calls = 0;
  const std::vector<V> y = tape.Call(
      [&](std::span<const V> in) { return std::vector<V>{in[0] * static_cast<double>(++calls)}; },
      in);
  EXPECT_DEATH(tape.Backward(y[0]), "expected a segment to return the same numbers");
}

}  // namespace
}  // namespace mlp::autograd
