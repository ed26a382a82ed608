#include "experiments/harness/work.h"

#include <gtest/gtest.h>

namespace mlp::experiments {
namespace {

TEST(Work, IsTheLargestPartWithRoomForTheRounds) {
  // A whole round takes eight times as long as the pilot: 8 s.
  EXPECT_EQ(FitWork(1, 64), 1);
  EXPECT_EQ(FitWork(1, 63), 0.75);
  EXPECT_EQ(FitWork(1, 32), 0.5);
  EXPECT_EQ(FitWork(1, 8), 0.125);
  EXPECT_EQ(FitWork(1, 4), 0.0625);
  EXPECT_EQ(FitWork(1, 0.1), 0.0625) << "less would measure nothing";
  EXPECT_EQ(FitWork(1, -1), 0.0625);
}

TEST(Work, IsWholeEpochsOrAPartOfOne) {
  const auto expect = [](double work, size_t epochs, size_t expected_epochs, size_t samples) {
    const Amount amount = AmountOf(work, epochs, 60000);
    EXPECT_EQ(amount.epochs, expected_epochs) << work << " of " << epochs;
    EXPECT_EQ(amount.samples, samples) << work << " of " << epochs;
  };
  expect(1, 5, 5, 60000);
  expect(0.75, 5, 3, 60000);
  expect(0.25, 5, 1, 60000);
  expect(0.125, 5, 1, 37500);
  expect(1, 1, 1, 60000);
  expect(0.0625, 1, 1, 3750);
  EXPECT_EQ(AmountOf(0.0625, 1, 3).samples, 1u);
}

TEST(Work, TheFirstSamplesKeepTheirPixelsAndLabels) {
  data::Examples all;
  all.size = 3;
  all.features = 2;
  all.pixels = AlignedBuffer<uint8_t>(6);
  all.labels = AlignedBuffer<uint8_t>(3);
  for (size_t i = 0; i < 6; ++i) all.pixels[i] = static_cast<uint8_t>(i);
  for (size_t i = 0; i < 3; ++i) all.labels[i] = static_cast<uint8_t>(7 + i);
  const data::Examples first = FirstSamples(all, 2);
  EXPECT_EQ(first.size, 2u);
  EXPECT_EQ(first.features, 2u);
  EXPECT_EQ(first.pixels.size(), 4u);
  EXPECT_EQ(first.pixels[3], 3);
  EXPECT_EQ(first.labels.size(), 2u);
  EXPECT_EQ(first.labels[1], 8);
  EXPECT_TRUE(first.values.empty());
  EXPECT_EQ(FirstSamples(all, 9).size, 3u);
}

}  // namespace
}  // namespace mlp::experiments
