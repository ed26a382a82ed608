#include "mlp/data/circles.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mlp::data {
namespace {

TEST(CirclesTest, PointsLieOnTheirCircles) {
  const Dataset dataset = MakeCircles({.train = 4000, .test = 1000});
  EXPECT_EQ(dataset.name, "circles");
  EXPECT_EQ(dataset.classes, 2u);
  EXPECT_EQ(dataset.train.features, 2u);
  EXPECT_TRUE(dataset.train.pixels.empty());
  double sum[2] = {}, square[2] = {}, x_sum = 0, y_sum = 0;
  size_t count[2] = {};
  for (size_t i = 0; i < dataset.train.size; ++i) {
    const float x = dataset.train.values[2 * i];
    const float y = dataset.train.values[2 * i + 1];
    const size_t label = dataset.train.labels[i];
    const double radius = std::hypot(x, y);
    sum[label] += radius;
    square[label] += radius * radius;
    x_sum += x;
    y_sum += y;
    ++count[label];
  }
  EXPECT_EQ(count[0], 2000u);
  EXPECT_EQ(count[1], 2000u);
  EXPECT_NEAR(x_sum / 4000, 0, 0.05);
  EXPECT_NEAR(y_sum / 4000, 0, 0.05);
  // Noise across the radius lengthens it by its variance / 2 radius.
  EXPECT_NEAR(sum[0] / 2000, 1 + 0.005, 0.01);
  EXPECT_NEAR(sum[1] / 2000, 0.5 + 0.01, 0.01);
  for (const size_t label : {0, 1}) {
    const double mean = sum[label] / 2000;
    EXPECT_NEAR(std::sqrt(square[label] / 2000 - mean * mean), 0.1, 0.01);
  }
}

TEST(CirclesTest, ASeedNamesTheDataset) {
  EXPECT_EQ(MakeCircles({}).sha256, MakeCircles({}).sha256);
  EXPECT_NE(MakeCircles({}).sha256, MakeCircles({.seed = 2}).sha256);
  EXPECT_NE(MakeCircles({}).sha256, MakeCircles({.noise = 0.2f}).sha256);
  EXPECT_EQ(MakeCircles({}).train.size, 800u);
  EXPECT_EQ(MakeCircles({}).test.size, 200u);
}

}  // namespace
}  // namespace mlp::data
