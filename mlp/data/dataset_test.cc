#include "mlp/data/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "mlp/data/packing_testing.h"

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

TEST(LargestLabelTest, IsFoundInEitherPart) {
  Dataset dataset;
  EXPECT_EQ(LargestLabel(dataset), "no label");
  const auto set = [](Examples& examples, const std::vector<uint8_t>& labels) {
    examples.size = labels.size();
    examples.labels = AlignedBuffer<uint8_t>(labels.size());
    std::ranges::copy(labels, examples.labels.begin());
  };
  set(dataset.train, {0, 3, 1, 3});
  set(dataset.test, {2, 3});
  EXPECT_EQ(LargestLabel(dataset), "label 3 of training sample 1");
  set(dataset.test, {2, 3, 200});
  EXPECT_EQ(LargestLabel(dataset), "label 200 of test sample 2");
}

TEST(PixelUseTest, ColumnsAreThoseThatAnyRowHas) {
  const Examples examples = Of(5, {0, 7, 0, 0, 0,  //
                                   0, 0, 0, 0, 255, 0, 1, 0, 0, 0});
  EXPECT_EQ(FindPixelUse(examples).columns, (std::vector<uint32_t>{1, 4}));
}

TEST(PixelUseTest, NoColumnsWhereThereIsNothing) {
  const PixelUse none = FindPixelUse(Of(3, {0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(none.columns.empty());
  EXPECT_EQ(none.density, 0);
  Examples values;
  values.size = 2;
  values.features = 1;
  values.values = AlignedBuffer<float>(2);
  EXPECT_TRUE(FindPixelUse(values).columns.empty());
}

TEST(PixelUseTest, DensityIsThePartThatIsNotZero) {
  EXPECT_EQ(FindPixelUse(Of(2, {0, 1, 0, 9, 0, 0, 0, 0})).density, 0.25);
  EXPECT_EQ(FindPixelUse(Examples()).density, 1);
}

TEST(PackedTest, TheSameUseAndTheSameHash) {
  const std::vector<uint8_t> pixels = {0, 7, 0, 0, 0, 0, 0, 0, 0, 255, 0, 1, 0, 0, 0};
  Dataset dataset;
  dataset.train = Of(5, pixels);
  const PixelUse use = FindPixelUse(dataset.train);
  const std::string sha256 = Sha256(dataset);
  dataset.train = Packed(dataset.train);
  EXPECT_TRUE(dataset.train.has_pixels());
  EXPECT_EQ(FindPixelUse(dataset.train).columns, use.columns);
  EXPECT_EQ(FindPixelUse(dataset.train).density, use.density);
  EXPECT_EQ(Sha256(dataset), sha256);
}

TEST(PackedTest, WhatIsDenseIsUnpacked) {
  const std::vector<uint8_t> pixels = {0, 1, 0, 9, 0, 0, 0, 0};  // a quarter
  const auto packed_below = [&](double pack_below) {
    PixelPacker packer(4);
    packer.Append(pixels);
    Examples examples{.pixels = {}, .labels = {}, .size = 2, .features = 4};
    SetPixels(examples, std::move(packer), pack_below);
    return examples;
  };
  EXPECT_TRUE(packed_below(0.26).pixels.empty());
  EXPECT_TRUE(packed_below(0.25).packed.empty());
  EXPECT_TRUE(std::ranges::equal(packed_below(0.25).pixels, pixels));
}

}  // namespace
}  // namespace mlp::data
