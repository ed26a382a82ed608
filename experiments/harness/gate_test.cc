#include "experiments/harness/gate.h"

#include <gtest/gtest.h>

namespace mlp::experiments {
namespace {

// A machine whose clock goes on by a second a probe.
struct Machine {
  double now_s = 0;
  double speed = 100;
  double free_at_s = 0;  // at a tenth of the speed before
  Gate MakeGate(double max_wait_s, double max_part = 1) {
    return Gate(
        [this] {
          now_s += 1;
          return now_s >= free_at_s ? speed : speed / 10;
        },
        [this] { return now_s; }, max_wait_s, max_part);
  }
};

TEST(Gate, OpensAtOnceOnAFreeMachine) {
  Machine machine;
  Gate gate = machine.MakeGate(10);
  gate.Wait();
  const Gate::Seen seen = gate.Wait();
  EXPECT_EQ(seen.wait_s, 1);
  EXPECT_EQ(seen.speed_pct, 100);
}

TEST(Gate, WaitsForTheSpeedSeenBefore) {
  Machine machine;
  Gate gate = machine.MakeGate(10);
  gate.Wait();
  machine.free_at_s = 5;
  const Gate::Seen seen = gate.Wait();
  EXPECT_EQ(seen.wait_s, 4);
  EXPECT_EQ(seen.speed_pct, 100);
}

TEST(Gate, WaitsNoLongerThanItsBound) {
  Machine machine;
  Gate gate = machine.MakeGate(3);
  gate.Wait();
  machine.free_at_s = 1000;
  const Gate::Seen seen = gate.Wait();
  EXPECT_EQ(seen.wait_s, 3);
  EXPECT_EQ(seen.speed_pct, 10);
}

TEST(Gate, AllWaitsAreABoundedPartOfTheTime) {
  Machine machine;
  Gate gate = machine.MakeGate(3, 0.25);
  gate.Wait();
  machine.free_at_s = 1e9;
  double waited_s = 0;
  for (int run = 0; run < 100; ++run) {
    machine.now_s += 2;
    waited_s += gate.Wait().wait_s;
  }
  // A wait is as long as its last probe.
  EXPECT_LE(waited_s, 0.25 * machine.now_s + 101);
  EXPECT_GE(waited_s, 0.2 * machine.now_s);
}

TEST(Gate, TheProbeMeasuresSomething) {
  EXPECT_GT(ProbeSpeed(1), 0);
  EXPECT_GT(ProbeSpeed(2), 0);
}

}  // namespace
}  // namespace mlp::experiments
