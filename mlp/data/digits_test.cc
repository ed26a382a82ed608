#include "mlp/data/digits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

namespace mlp::data {
namespace {

using Picture = std::array<uint8_t, kDigitPixels>;

TEST(DigitsTest, EverySampleStandsForItself) {
  const Dataset all = MakeDigits(3, 300, 20);
  // In any order, and in a smaller dataset: the same pictures.
  for (const uint32_t i : {299u, 0u, 150u}) {
    Picture picture;
    EXPECT_EQ(DrawDigit(3, 0, i, picture), all.train.labels[i]);
    EXPECT_TRUE(
        std::equal(picture.begin(), picture.end(), all.train.pixels.data() + i * kDigitPixels));
  }
  EXPECT_EQ(MakeDigits(3, 300, 20).sha256, all.sha256);
  EXPECT_NE(MakeDigits(4, 300, 20).sha256, all.sha256);
}

// Integers, sums, products, quotients and square roots of IEEE floats make the pictures, nothing
// that may differ between builds. Whoever changes what is drawn changes every record that names
// this dataset, and has to say so here.
TEST(DigitsTest, TheDatasetIsTheSameEverywhere) {
  EXPECT_EQ(MakeDigits(1, 2000, 500).sha256,
            "a7a573ae8460191b66d6a9726687dac34cc43814f79428c3f3e9d3954410fb9a");
}

TEST(DigitsTest, PartsAreDifferentDraws) {
  const Dataset digits = MakeDigits(1, 500, 500);
  EXPECT_FALSE(std::equal(digits.train.labels.begin(), digits.train.labels.end(),
                          digits.test.labels.begin()));
  std::set<std::string> pictures;
  for (const Examples* part : {&digits.train, &digits.test}) {
    for (size_t i = 0; i < part->size; ++i) {
      const auto* pixels = reinterpret_cast<const char*>(part->pixels.data()) + i * kDigitPixels;
      pictures.emplace(pixels, kDigitPixels);
    }
  }
  EXPECT_EQ(pictures.size(), 1000u);  // none twice
}

// MNIST: a mean of 33.3 and 19.1 % of the pixels above 0, over its 60,000 training images.
TEST(DigitsTest, InkIsLikeThatOfMnist) {
  const Dataset digits = MakeDigits(1, 5000, 0);
  double sum = 0;
  size_t ink = 0;
  for (const uint8_t pixel : digits.train.pixels) {
    sum += pixel;
    ink += pixel != 0;
  }
  const auto n = static_cast<double>(digits.train.pixels.size());
  EXPECT_NEAR(sum / n, 33, 3);
  EXPECT_NEAR(static_cast<double>(ink) / n, 0.19, 0.02);
}

TEST(DigitsTest, LabelsAreBalanced) {
  const Dataset digits = MakeDigits(1, 10000, 0);
  std::array<int, 10> counts = {};
  for (const uint8_t label : digits.train.labels) ++counts.at(label);
  // 1000 each, give or take 5 standard deviations.
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(DigitsTest, EveryPictureHasInkInTheMiddleAndNoneAtTheCut) {
  const Dataset digits = MakeDigits(2, 2000, 0);
  for (size_t i = 0; i < digits.train.size; ++i) {
    const uint8_t* pixels = digits.train.pixels.data() + i * kDigitPixels;
    int dark = 0;
    int dark_at_border = 0;
    for (int row = 0; row < kDigitSide; ++row) {
      for (int col = 0; col < kDigitSide; ++col) {
        if (pixels[row * kDigitSide + col] < 100) continue;
        ++dark;
        const bool border = row == 0 || col == 0 || row == kDigitSide - 1 || col == kDigitSide - 1;
        dark_at_border += border;
      }
    }
    // A stroke of the thinnest pen on the one side, less than a third of the picture on the other.
    EXPECT_GT(dark, 8) << i;
    EXPECT_LT(dark, kDigitPixels / 3) << i;
    EXPECT_LE(dark_at_border, kDigitSide / 2) << i;
  }
}

// A digit resembles the mean of its class more than the mean of another, though not always.
TEST(DigitsTest, NearestMeanTellsMostDigitsButNotAll) {
  const Dataset digits = MakeDigits(1, 5000, 1000);
  std::vector<std::array<double, kDigitPixels>> means(10);
  std::array<int, 10> counts = {};
  for (size_t i = 0; i < digits.train.size; ++i) {
    const uint8_t label = digits.train.labels[i];
    ++counts[label];
    for (int k = 0; k < kDigitPixels; ++k) {
      means[label][k] += digits.train.pixels[i * kDigitPixels + k];
    }
  }
  int right = 0;
  for (size_t i = 0; i < digits.test.size; ++i) {
    std::array<double, 10> distance = {};
    for (int label = 0; label < 10; ++label) {
      for (int k = 0; k < kDigitPixels; ++k) {
        const double d = digits.test.pixels[i * kDigitPixels + k] - means[label][k] / counts[label];
        distance[label] += d * d;
      }
    }
    const auto nearest = std::min_element(distance.begin(), distance.end()) - distance.begin();
    right += nearest == digits.test.labels[i];
  }
  // On MNIST this classifier gets about 82 % right.
  EXPECT_GT(right, 650);
  EXPECT_LT(right, 900);
}

TEST(DigitsTest, NoSamples) {
  const Dataset none = MakeDigits(1, 0, 0);
  EXPECT_EQ(none.train.size, 0u);
  EXPECT_EQ(none.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace mlp::data
