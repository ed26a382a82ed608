// The tape: derivatives on large and deep graphs, marks and rewinding, parameters.
#include "mlp/autograd/tape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "mlp/autograd/value.h"

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

TEST(Tape, MillionCyclesInFlatMemoryAndTime) {
  Tape<double> tape;
  const V x = 3.0;
  const TapeMark mark = tape.Mark();
  double sum = 0;
  constexpr int kCycles = 1'000'000, kChunks = 1000;
  std::vector<double> chunk_s;
  for (int chunk = 0; chunk < kChunks; ++chunk) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCycles / kChunks; ++i) {
      tape.Rewind(mark);
      V s = 1.0;
      for (int k = 0; k < 4; ++k) s += x * x;
      tape.Backward(exp(-s) * x);
      sum += x.gradient();
      ASSERT_LE(tape.size(), mark.size + 12);
      ASSERT_LE(tape.bytes_since(mark), 12 * (24 + sizeof(tape::Run)));
    }
    chunk_s.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  EXPECT_NEAR(sum / kCycles, std::exp(-37.0) * (1 - 72), 1e-25);
  // The fastest of a hundred chunks is one that nobody disturbed.
  constexpr int kTenth = kChunks / 10;
  EXPECT_LE(*std::min_element(chunk_s.end() - kTenth, chunk_s.end()),
            2 * *std::min_element(chunk_s.begin(), chunk_s.begin() + kTenth));
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

TEST(Tape, WhenATapeIsGoneTheOneThatWasCurrentBeforeIsSoAgain) {
  Tape<double> a, b;
  (void)a.Mark();
  { Tape<double> inner; }
  const Id size = a.size();
  const V x = 2.0;
  EXPECT_EQ(a.size(), size + 1);
  // In whatever order they go.
  auto first = std::make_unique<Tape<double>>();
  auto second = std::make_unique<Tape<double>>();
  auto third = std::make_unique<Tape<double>>();
  (void)second->Mark();  // a, first, third, second
  third.reset();
  EXPECT_EQ(V(3.0).value(), 3);
  EXPECT_EQ(second->size(), tape::kFirstId + 1);
  second.reset();
  EXPECT_EQ(V(4.0).value(), 4);
  EXPECT_EQ(first->size(), tape::kFirstId + 1);
  first.reset();
  a.Backward(x * x);
  EXPECT_EQ(x.gradient(), 4);
}

TEST(Tape, BackwardMakesItsTapeCurrent) {
  Tape<double> a;
  const V x = 2.0, y = 5.0;
  V product = x * y;  // Not recorded before it is used.
  Tape<double> b;
  a.Backward(product);
  EXPECT_EQ(x.gradient(), 5);
  EXPECT_EQ(b.size(), tape::kFirstId);
  EXPECT_DEATH(b.BackwardFrom(a.size() + 1),
               "Tape::BackwardFrom: id: expected a number below [0-9]+, found [0-9]+; give it one");
}

// A sum that goes on after a mark becomes a run of records that the rewind forgets, not of those
// that it keeps.
TEST(Tape, ARewindForgetsWhatASumBecameSinceTheMark) {
  Tape<double> tape;
  const V a = 1, b = 2, c = 3, w = 5, x = 7;
  V s = a;
  s += b;
  const TapeMark mark = tape.Mark();
  for (int i = 0; i < 2; ++i) {
    V grown = std::move(s);
    grown += c;
    grown += w;
    tape.Backward(grown);
    EXPECT_EQ(grown.value(), 1 + 2 + 3 + 5);
    EXPECT_EQ(a.gradient(), 1);
    EXPECT_EQ(w.gradient(), 1);
    tape.Rewind(mark);
    V d = 0.0;
    d += w * x;
    const V t = d * 1.0;
    // The records before the mark are what they were: a sum of two.
    const V again = Value<double>::Recorded(3, mark.size - 1);
    tape.Backward(t + again);
    EXPECT_EQ(w.gradient(), 7);
    EXPECT_EQ(x.gradient(), 5);
    EXPECT_EQ(a.gradient(), 1);
    EXPECT_EQ(b.gradient(), 1);
    EXPECT_EQ(c.gradient(), 0);
    tape.Rewind(mark);
    s = again;
  }
}

TEST(Tape, WhatWasRecordedAfterBackwardHasNoGradient) {
  Tape<double> tape;
  const V x = 2.0;
  const TapeMark mark = tape.Mark();
  V y = x;
  for (int i = 0; i < 20; ++i) y = -y;
  tape.Backward(y);
  EXPECT_NE(y.gradient(), 0);
  const V late = exp(x);
  EXPECT_EQ(late.gradient(), 0);
  tape.Rewind(mark);
  const V again = exp(x);  // Where others were that had gradients.
  EXPECT_EQ(again.gradient(), 0);
  EXPECT_NE(x.gradient(), 0);
}

// It belongs to nobody, and stays that of one Backward.
TEST(Tape, TheGradientOfDefaultValuesDoesNotAddUp) {
  Tape<double> tape;
  const V x = 2.0, zero;
  const V y = zero + x;
  for (int i = 0; i < 3; ++i) tape.Backward(y);
  EXPECT_EQ(tape.gradient(zero.id()), 1);
  Tape<tape::Pack4d> packed;
  const Leaves<tape::Pack4d> w = packed.Parameters(std::vector<double>{1});
  const Value<tape::Pack4d> nothing;
  const Value<tape::Pack4d> sum = w[0] + nothing;
  for (int i = 0; i < 3; ++i) packed.Backward(sum);
  EXPECT_EQ(packed.gradient(nothing.id())[0], 4);
  EXPECT_EQ(packed.gradients()[0], 12);
}

TEST(Tape, NumbersOfParametersAreNotAmongTheOthers) {
  const auto expect_death = []<class T>(T) {
    Tape<T> tape;
    const Leaves<T> w = tape.Parameters(std::vector<double>{1, 2});
    EXPECT_DEATH(tape.numbers(w), "numbers: expected leaves of Inputs or Data, found parameters");
  };
  expect_death(double());
  expect_death(tape::Pack4d());
}

// What a growing sum of packs is, is computed when it is read: on its own tape. A product is on the
// current one.
TEST(Tape, SumsOfPacksAreReadWhileAnotherTapeIsCurrent) {
  using P = Value<tape::Pack4d>;
  Tape<tape::Pack4d> outer;
  const P x = 2.0, y = 3.0;
  P sum = 1.0;
  sum += x * y;
  {
    Tape<tape::Pack4d> inner;
    const P a = 7.0, b = 8.0;
    P moved = std::move(sum);
    EXPECT_EQ(moved.value()[1], 7);
    sum = std::move(moved);
    EXPECT_EQ((a * b).value()[0], 56);
  }
  EXPECT_EQ((x * y).value()[2], 6);
  EXPECT_EQ(sum.value()[3], 7);
}

// It would be of no effect: numbers are those of the tape.
static_assert(!std::is_assignable_v<Leaf<double>, double>);
static_assert(std::is_assignable_v<Leaf<double>&, Leaf<double>>);

TEST(Tape, AMarkThatWasRewoundPastIsRefused) {
  Tape<double> tape;
  const V x = 2.0, y = 3.0;
  const TapeMark mark = tape.Mark();
  V s = 0.0;
  s += x * y;
  EXPECT_EQ((s * x).value(), 12);
  const TapeMark stale = tape.Mark();
  tape.Rewind(mark);
  EXPECT_DEATH(tape.Rewind(stale), "check failed");
  for (int i = 0; i < 20; ++i) (void)exp(x).value();
  EXPECT_DEATH(tape.Rewind(stale), "expected a mark that the tape was not rewound past");
}

TEST(Tape, WhatTheRootDoesNotDependOnIsNoPartOfTheGradient) {
  Tape<double> tape;
  const V a = 1, b = 1;
  const V d = a - b;
  const V r = sqrt(d * d);
  const V y = r > 0.0 ? 1.0 / r : a * 2.0;
  tape.Backward(y);
  EXPECT_EQ(a.gradient(), 2);
  EXPECT_EQ(b.gradient(), 0);
  // Sums, differences and products, too, which are swept by themselves.
  const V infinite = 1 / V(0.0);
  const V p = a * infinite, q = infinite * 2.0, s = a * infinite - p;
  tape.Backward(a + keep(p + q + s, 0));
  EXPECT_EQ(a.gradient(), 1);
  EXPECT_EQ(infinite.gradient(), 0);
  // What it does depend on is as infinite as it is.
  tape.Backward(p);
  EXPECT_TRUE(std::isinf(a.gradient()));
}

// A checkpoint's call stands where its block of outputs begins.
TEST(Tape, BlocksOfLeavesArePassedAtOnce) {
  Tape<double> tape;
  const V x = 2.0;
  const std::vector<V> in = {x};
  const std::vector<V> out = tape.Call(
      [](std::span<const V> a) {
        std::vector<V> squares;
        for (int i = 0; i < 40; ++i) squares.push_back(a[0] * a[0]);
        return squares;
      },
      in);
  const Leaves<double> block = tape.Inputs(std::vector<double>(100, 1.5));
  tape.Backward(out[39] * block[99]);
  EXPECT_EQ(x.gradient(), 2 * 2 * 1.5);
  EXPECT_EQ(Value<double>(block[99]).gradient(), 4);
  EXPECT_EQ(Value<double>(block[0]).gradient(), 0);
}

static_assert(std::same_as<PackTape<float, 16>, Tape<tape::Pack16f>>);
static_assert(std::same_as<PackTape<double, 4>, Tape<tape::Pack4d>>);
static_assert(std::same_as<PackTape<double, 1>, Tape<double>>);
static_assert(std::same_as<PackValue<float, 8>, Value<tape::Pack8f>>);
static_assert(kHasOrder<float> && kHasOrder<double> && !kHasOrder<tape::Pack4d>);

TEST(Tape, MessagesOfMisuseSayWhatToDo) {
  EXPECT_DEATH(
      {
        Tape<double> tape;
        (void)V(1.0);
        (void)tape.Parameters(std::vector<double>{1, 2});
      },
      "Tape::Parameters: expected a tape with nothing but parameters on it, found 1 values or "
      "inputs behind them; make all parameters");
  EXPECT_DEATH(Tape<double>({.max_ids = 3}), "max_ids: expected a number from 17 to 2\\^28");
  EXPECT_DEATH(
      {
        Tape<double> tape;
        const TapeMark mark = tape.Mark();
        (void)tape.Parameters(std::vector<double>{1, 2});
        tape.Rewind(mark);
      },
      "Rewind: expected a mark from after the last parameters");
  EXPECT_DEATH(
      {
        Tape<double> tape;
        const TapeMark early = tape.Mark();
        (void)V(1.0);
        const TapeMark late = tape.Mark();
        tape.Rewind(early);
        tape.Rewind(late);
      },
      "Rewind: expected a mark that the tape was not rewound past");
}

// Memory is mapped, not used: what runs out is the number of mappings, or the addresses.
TEST(Tape, TooManyTapesAtOnceAreToldSo) {
  EXPECT_DEATH(
      {
        std::vector<std::unique_ptr<Tape<double>>> tapes;
        for (int i = 0; i < 200'000; ++i) tapes.push_back(std::make_unique<Tape<double>>());
      },
      "a tape: expected address space for at least 65536 values, found that the system refuses it "
      "\\(.*\\); use one tape again by Rewind");
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

// A product is recorded when it is first used, which may be after a mark that it was formed before.
TEST(Tape, AProductOutlivesTheRecordThatItsUseMade) {
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
