#include "mlp/data/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace mlp::data {
namespace {

Examples Of(size_t features, const std::vector<uint8_t>& pixels) {
  Examples examples;
  examples.size = pixels.size() / features;
  examples.features = features;
  examples.pixels = AlignedBuffer<uint8_t>(pixels.size());
  std::ranges::copy(pixels, examples.pixels.begin());
  return examples;
}

TEST(UsedColumnsTest, AreThoseThatAnyRowHas) {
  const Examples examples = Of(5, {0, 7, 0, 0, 0,  //
                                   0, 0, 0, 0, 255, 0, 1, 0, 0, 0});
  EXPECT_EQ(UsedColumns(examples), (std::vector<uint32_t>{1, 4}));
}

TEST(UsedColumnsTest, NoneWhereThereIsNothing) {
  EXPECT_TRUE(UsedColumns(Of(3, {0, 0, 0, 0, 0, 0})).empty());
  Examples values;
  values.size = 2;
  values.features = 1;
  values.values = AlignedBuffer<float>(2);
  EXPECT_TRUE(UsedColumns(values).empty());
}

TEST(DensityTest, IsThePartThatIsNotZero) {
  EXPECT_EQ(Density(Of(2, {0, 1, 0, 9, 0, 0, 0, 0})), 0.25);
  EXPECT_EQ(Density(Examples()), 1);
}

}  // namespace
}  // namespace mlp::data
