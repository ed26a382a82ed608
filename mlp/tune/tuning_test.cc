// What follows from measurements that the test makes up.
#include "mlp/tune/tuning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "mlp/tune/machine.h"

namespace mlp::tune {
namespace {

const Space kSpace = {.isas = {Isa::kSse2, Isa::kAvx2, Isa::kAvx512}, .threads = 8};

// A machine whose steps take what the members say.
struct FakeMachine {
  double avx2 = 1.2;        // relative to avx512
  double efficiency = 0.9;  // threads ^ this is the speed-up
  double skip = 0.3;        // skipping: this, and so much per density, of a dense step
  double skip_per_density = 2;
  double disturbed = 0;  // of seven measurements the k-th takes so much times k longer
  size_t preempted = 0;  // of seven measurements with several threads, so many
  double clock_step_s = 0;

  std::vector<Candidate> asked = {};
  double now_s = 0;

  Tuning Run(const Space& space = kSpace, double budget_s = 1) {
    return Tune(
        space,
        [this](const Candidate& c) {
          asked.push_back(c);
          now_s += clock_step_s;
          double step = c.isa == Isa::kAvx512 ? 1 : c.isa == Isa::kAvx2 ? avx2 : 3;
          step /= std::pow(c.threads, efficiency);
          if (c.skip_zeros) step *= skip + skip_per_density * c.density;
          step *= 1 + disturbed * static_cast<double>(asked.size() % 7);
          return Sample{step, c.threads > 1 && asked.size() % 7 < preempted};
        },
        [this] { return now_s; }, budget_s);
  }
};

TEST(TuneTest, TakesWhatIsFastest) {
  FakeMachine machine;
  const Tuning tuning = machine.Run();
  EXPECT_EQ(tuning.isa, Isa::kAvx512);
  EXPECT_EQ(tuning.threads, 8);
  EXPECT_NEAR(tuning.skip_below, 0.35, 1e-12);  // 0.3 + 2 * 0.35 = 1
  EXPECT_TRUE(tuning.steady);
  EXPECT_EQ(tuning.timings.size(), 2u + 3u + 6u);
  EXPECT_EQ(Text(tuning), "avx512, 8 threads, zero pixels skipped below a density of 0.35");
}

TEST(TuneTest, AnOlderInstructionSetHasToBeClearlyFaster) {
  FakeMachine machine = {.avx2 = 0.9};
  EXPECT_EQ(machine.Run().isa, Isa::kAvx2);
  machine = {.avx2 = 0.97};
  EXPECT_EQ(machine.Run().isa, Isa::kAvx512);
  // What is older still is not asked for.
  for (const Candidate& c : machine.asked) EXPECT_NE(c.isa, Isa::kSse2);
}

TEST(TuneTest, FewerThreadsHaveToBeClearlyFaster) {
  FakeMachine machine = {.efficiency = -0.5};
  EXPECT_EQ(machine.Run().threads, 1);
  machine = {.efficiency = -0.01};
  EXPECT_EQ(machine.Run().threads, 8);
  // Everything after that question is measured with what it decided.
  machine = {.avx2 = 0.5, .efficiency = -0.5};
  machine.Run();
  EXPECT_EQ(machine.asked.back().threads, 1);
  EXPECT_EQ(machine.asked.back().isa, Isa::kAvx2);
}

TEST(TuneTest, ZerosAreSkippedWhereThatPays) {
  FakeMachine machine = {.skip = 1.1};
  EXPECT_EQ(machine.Run().skip_below, 0);
  machine = {.skip = 0.1, .skip_per_density = 0.1};
  EXPECT_EQ(machine.Run().skip_below, 0.7);
  machine = {.skip = 0.2, .skip_per_density = 4};
  EXPECT_NEAR(machine.Run().skip_below, 0.2, 1e-12);
}

TEST(TuneTest, ADisturbedMachineIsLeftUntuned) {
  // A little of it is in the longer ones alone.
  FakeMachine machine = {.avx2 = 0.5, .disturbed = 0.05};
  EXPECT_TRUE(machine.Run().steady);
  machine = {.avx2 = 0.5, .efficiency = -0.5, .disturbed = 0.3};
  const Tuning tuning = machine.Run();
  EXPECT_FALSE(tuning.steady);
  EXPECT_EQ(Text(tuning).find("too busy to tell (mlp tune, or a training in an hour, tries again), "
                              "so avx512, 8 threads"),
            0u);
  EXPECT_EQ(tuning.isa, Isa::kAvx512);
  EXPECT_EQ(tuning.threads, 8);
  EXPECT_EQ(tuning.skip_below, Tuning().skip_below);
  EXPECT_FALSE(tuning.timings.empty());
}

TEST(TuneTest, WhatWasPreemptedDoesNotCount) {
  // On a busy machine, several threads are slower than one alone.
  FakeMachine machine = {.efficiency = -0.5, .preempted = 7};
  Tuning tuning = machine.Run();
  EXPECT_FALSE(tuning.steady);
  EXPECT_EQ(tuning.threads, 8);
  machine = {.efficiency = -0.5, .preempted = 3};
  tuning = machine.Run();
  EXPECT_TRUE(tuning.steady);
  EXPECT_EQ(tuning.threads, 1);
}

TEST(TuneTest, EndsWhenTheTimeIsUpButNotBeforeThreeRounds) {
  FakeMachine slow = {.clock_step_s = 10};
  slow.Run();
  EXPECT_EQ(slow.asked.size(), 3u * (2 + 3 + 6));
  FakeMachine fast = {.clock_step_s = 1e-6};
  fast.Run();
  EXPECT_EQ(fast.asked.size(), 25u * (2 + 3 + 6));
  // In turn.
  EXPECT_EQ(fast.asked[0], fast.asked[2]);
  EXPECT_FALSE(fast.asked[0] == fast.asked[1]);
}

TEST(TuneTest, WithoutAChoiceThereIsNoQuestion) {
  FakeMachine machine;
  const Tuning tuning = machine.Run({.isas = {Isa::kSse2}, .threads = 1});
  EXPECT_EQ(tuning.isa, Isa::kSse2);
  EXPECT_EQ(tuning.threads, 1);
  for (const Candidate& c : machine.asked) EXPECT_TRUE(c.isa == Isa::kSse2 && c.threads == 1);
  EXPECT_EQ(tuning.timings.size(), 6u);
}

// Not what it measures, but that it does.
TEST(MachineTest, AnswersFromItsOwnSpace) {
  const Space space = ThisMachine();
  ASSERT_FALSE(space.isas.empty());
  EXPECT_EQ(space.isas.back(), BestIsa());
  const Tuning tuning = TuneThisMachine();
  EXPECT_TRUE(std::ranges::count(space.isas, tuning.isa) == 1);
  EXPECT_GE(tuning.threads, 1);
  EXPECT_LE(tuning.threads, space.threads);
  for (const Timing& timing : tuning.timings) EXPECT_GT(timing.step_s, 0);
}

}  // namespace
}  // namespace mlp::tune
