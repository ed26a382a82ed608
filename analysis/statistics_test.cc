#include "analysis/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "mlp/base/rng.h"

namespace mlp::analysis {
namespace {

TEST(MedianTest, OddAndEven) {
  EXPECT_EQ(Median({3}), 3);
  EXPECT_EQ(Median({5, 1, 3}), 3);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
}

TEST(MedianEstimateTest, TooFewHaveARangeAndNoInterval) {
  const Estimate estimate = MedianEstimate(std::vector<double>{2, 5, 3});
  EXPECT_EQ(estimate.value, 3);
  EXPECT_EQ(estimate.low, 2);
  EXPECT_EQ(estimate.high, 5);
  EXPECT_FALSE(estimate.HasInterval());
  EXPECT_TRUE(MedianEstimate(std::vector<double>(6, 1.0)).HasInterval());
}

TEST(MedianEstimateTest, TheSameSamplesGiveTheSameInterval) {
  const std::vector<double> values = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Estimate a = MedianEstimate(values);
  const Estimate b = MedianEstimate(values);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_LT(a.low, 5);
  EXPECT_GT(a.high, 5);
  EXPECT_GE(a.low, 1);
  EXPECT_LE(a.high, 9);
}

TEST(MedianEstimateTest, EqualValuesHaveAnIntervalOfNoWidth) {
  const Estimate estimate = MedianEstimate(std::vector<double>(10, 2.5));
  EXPECT_EQ(estimate.low, 2.5);
  EXPECT_EQ(estimate.high, 2.5);
}

// The interval's promise itself: it holds the true median about 95 times in 100. The bootstrap of
// the median is a little off for small samples, hence the tolerance; the seeds are fixed.
TEST(MedianEstimateTest, CoversTheTrueMedian) {
  Stream stream(/*seed=*/1, Purpose::kTest);
  int covered = 0;
  constexpr int kTrials = 400;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values(15);
    for (double& value : values) value = stream.Normal();
    const Estimate estimate = MedianEstimate(values);
    covered += estimate.low <= 0 && 0 <= estimate.high;
  }
  EXPECT_GE(covered, kTrials * 91 / 100);
  EXPECT_LE(covered, kTrials * 99 / 100);
}

TEST(PairedRatioTest, WhatDisturbsBothCancels) {
  // Repetitions differ tenfold, the ratio hardly.
  const std::vector<double> slow = {1, 10, 2, 5, 3, 7};
  std::vector<double> fast;
  for (size_t i = 0; i < slow.size(); ++i) fast.push_back(slow[i] * (i % 2 == 0 ? 1.99 : 2.01));
  const Estimate ratio = PairedRatio(fast, slow);
  EXPECT_NEAR(ratio.value, 2, 1e-12);
  EXPECT_NEAR(ratio.low, 1.99, 1e-12);
  EXPECT_NEAR(ratio.high, 2.01, 1e-12);
  const Estimate unpaired = UnpairedRatio(fast, slow);
  EXPECT_LT(unpaired.low, 1.5);
  EXPECT_GT(unpaired.high, 3);
}

TEST(UnpairedRatioTest, RatioOfMedians) {
  const Estimate few = UnpairedRatio(std::vector<double>{2, 4, 6}, std::vector<double>{1, 2});
  EXPECT_DOUBLE_EQ(few.value, 4 / 1.5);
  EXPECT_DOUBLE_EQ(few.low, 1);
  EXPECT_DOUBLE_EQ(few.high, 6);
  EXPECT_EQ(few.n, 2u);
  EXPECT_FALSE(few.HasInterval());
  const Estimate same = UnpairedRatio(std::vector<double>(8, 3.0), std::vector<double>(7, 2.0));
  EXPECT_EQ(same.low, 1.5);
  EXPECT_EQ(same.high, 1.5);
  EXPECT_EQ(same.n, 7u);
}

TEST(UnpairedDifferenceTest, DifferenceOfMedians) {
  const Estimate few = UnpairedDifference(std::vector<double>{2, 4, 6}, std::vector<double>{1, 2});
  EXPECT_EQ(few.value, 2.5);
  EXPECT_EQ(few.low, 0);
  EXPECT_EQ(few.high, 5);
  EXPECT_EQ(few.n, 2u);
  const Estimate same =
      UnpairedDifference(std::vector<double>(8, 3.0), std::vector<double>(7, 2.0));
  EXPECT_EQ(same.low, 1);
  EXPECT_EQ(same.high, 1);
  EXPECT_TRUE(same.HasInterval());
}

TEST(PairedDifferenceTest, MedianOfDifferences) {
  const Estimate difference =
      PairedDifference(std::vector<double>{5, 7, 4}, std::vector<double>{1, 2, 3});
  EXPECT_EQ(difference.value, 4);
  EXPECT_EQ(difference.low, 1);
  EXPECT_EQ(difference.high, 5);
  EXPECT_EQ(difference.n, 3u);
}

TEST(InverseTest, TurnsTheIntervalAround) {
  const Estimate inverse = Inverse({.value = 2, .low = 1, .high = 4, .n = 9});
  EXPECT_EQ(inverse.value, 0.5);
  EXPECT_EQ(inverse.low, 0.25);
  EXPECT_EQ(inverse.high, 1);
  EXPECT_EQ(inverse.n, 9u);
}

TEST(SmallestEffectTest, IsTheFarEndOfTheInterval) {
  EXPECT_NEAR(*SmallestEffect({.value = 1, .low = 0.8, .high = 1.01, .n = 8}), 0.25, 1e-12);
  EXPECT_NEAR(*SmallestEffect({.value = 1.03, .low = 1.02, .high = 1.05, .n = 8}), 0.05, 1e-12);
  EXPECT_FALSE(SmallestEffect({.value = 1, .low = 1, .high = 1, .n = 5}));
}

TEST(SummarizeTest, ByHand) {
  const Summary summary = Summarize(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_EQ(summary.n, 8u);
  EXPECT_EQ(summary.mean, 5);
  EXPECT_NEAR(summary.deviation, 2.138089935299395, 1e-12);  // sqrt(32 / 7)
  EXPECT_EQ(summary.min, 2);
  EXPECT_EQ(summary.max, 9);
  EXPECT_EQ(summary.median, 4.5);
  EXPECT_EQ(Summarize(std::vector<double>{3}).deviation, 0);
}

}  // namespace
}  // namespace mlp::analysis
