#include "mlp/base/trial.h"

#include <gtest/gtest.h>

namespace mlp {
namespace {

// How many of n pieces go the second way, each way with its own time for a unit of work.
int SecondOf(Trial& trial, int n, double first_s, double second_s) {
  int count = 0;
  for (int i = 0; i < n; ++i) {
    const bool second = trial.second();
    count += second;
    trial.Note(second ? second_s : first_s, 1);
  }
  return count;
}

TEST(TrialTest, TakesTheFasterWayAndKeepsAnEyeOnTheOther) {
  Trial trial;
  EXPECT_FALSE(trial.second());
  // One piece of three is tried; as it wins, all go its way, but for one in 16.
  EXPECT_EQ(SecondOf(trial, 3, 0.010, 0.009), 1);
  EXPECT_TRUE(trial.second());
  EXPECT_EQ(SecondOf(trial, 32, 0.010, 0.009), 30);
  // The times change places: after some more tries the first way has them.
  SecondOf(trial, 48, 0.009, 0.010);
  EXPECT_EQ(SecondOf(trial, 32, 0.009, 0.010), 2);
}

TEST(TrialTest, OneDisturbedPieceDoesNotTurnIt) {
  Trial trial;
  SecondOf(trial, 64, 0.010, 0.0102);
  EXPECT_FALSE(trial.second());
  // The piece before the second way's turn, three times as slow as usual.
  EXPECT_EQ(SecondOf(trial, 1, 0.030, 0), 0);
  SecondOf(trial, 2, 0.010, 0.0102);
  EXPECT_FALSE(trial.second());
}

TEST(TrialTest, TheFirstWayIsTakenWhereNoneIsClearlyFaster) {
  Trial trial;
  EXPECT_EQ(SecondOf(trial, 160, 0.010, 0.00995), 10);
}

TEST(TrialTest, ASteadyDriftIsNobodysFault) {
  Trial trial;
  double pace = 0.010;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(trial.second(), i % 16 == 1) << i;
    pace *= 0.995;  // Tried last, the second way would always seem to win.
    trial.Note(trial.second() ? 1.002 * pace : pace, 1);
  }
}

TEST(TrialTest, ShortPiecesCountTogetherByTheirWork) {
  Trial trial;
  const auto note = [&](double work) {
    for (int i = 0; i < 5; ++i) {
      const bool second = trial.second();
      trial.Note(0.001001, work);
      EXPECT_EQ(trial.second() == second, i < 4) << i;
    }
  };
  note(10);
  note(12);  // the second way's: more work in the time
  for (int i = 0; i < 5; ++i) trial.Note(0.001001, 10);
  EXPECT_TRUE(trial.second());
}

}  // namespace
}  // namespace mlp
