#include "mlp/data/packed_pixels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "mlp/base/rng.h"

namespace mlp::data {
namespace {

PackedPixels Pack(size_t features, const std::vector<uint8_t>& pixels) {
  PixelPacker packer(features);
  packer.Append(pixels);
  return std::move(packer).Finish();
}

std::vector<uint8_t> Unpacked(const PackedPixels& packed) {
  std::vector<uint8_t> pixels(packed.size() * packed.features(), 9);
  for (size_t i = 0; i < packed.size(); ++i) {
    packed.Unpack(i, pixels.data() + i * packed.features());
  }
  return pixels;
}

TEST(PackedPixelsTest, RowsComeBackAsTheyWere) {
  Stream stream(1, Purpose::kTest);
  for (const size_t features : {1, 7, 63, 64, 65, 128, 784}) {
    for (const uint32_t of_ten : {0, 1, 5, 10}) {
      std::vector<uint8_t> pixels(20 * features);
      for (uint8_t& pixel : pixels) {
        if (stream.Below(10) < of_ten) pixel = static_cast<uint8_t>(1 + stream.Below(255));
      }
      const PackedPixels packed = Pack(features, pixels);
      EXPECT_EQ(packed.size(), 20u);
      EXPECT_EQ(packed.features(), features);
      EXPECT_EQ(packed.count(), pixels.size() - static_cast<size_t>(std::ranges::count(pixels, 0)));
      EXPECT_EQ(Unpacked(packed), pixels) << features << " features, " << of_ten << " of ten";
    }
  }
}

TEST(PackedPixelsTest, ARecordIsBitsAndWhatIsNotZero) {
  std::vector<uint8_t> row(70);
  row[2] = 20;
  row[63] = 21;
  row[65] = 22;
  std::vector<uint8_t> all = row;
  all.insert(all.end(), 70, 1);
  const PackedPixels packed = Pack(70, all);
  EXPECT_EQ(packed.words(), 2u);
  const std::vector<uint8_t> expected = {4, 0, 0, 0, 0, 0, 0,  0x80, 2, 0,
                                         0, 0, 0, 0, 0, 0, 20, 21,   22};
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), packed.records()));
  EXPECT_EQ(packed.offsets()[1] * PackedPixels::kGrain, 24u);
  EXPECT_EQ(packed.offsets()[2] * PackedPixels::kGrain, 24u + 16 + 72);
}

// Rows of 1 to 100 pixels, 16 bytes of bits each: the 90th is one of 106 bytes, 112 with its end.
TEST(PackedPixelsTest, LinesHoldNineRecordsOfTen) {
  std::vector<uint8_t> pixels(100 * 100);
  for (size_t i = 0; i < 100; ++i) std::fill_n(pixels.begin() + i * 100, i + 1, 1);
  EXPECT_EQ(Pack(100, pixels).lines(), 3u);
  // From the last word of a line on.
  EXPECT_EQ(Pack(8, std::vector<uint8_t>(8, 1)).lines(), 2u);
}

TEST(PackedPixelsTest, ColumnsOfZerosAreDropped) {
  const std::vector<uint8_t> pixels = {0, 7, 0, 0, 0,  //
                                       0, 0, 0, 0, 255};
  const PackedPixels packed = Pack(5, pixels);
  EXPECT_EQ(std::vector(packed.columns().begin(), packed.columns().end()),
            (std::vector<uint32_t>{1, 4}));
  EXPECT_EQ(Unpacked(packed), pixels);
  // An engine without columns would have all of them.
  EXPECT_EQ(Pack(5, std::vector<uint8_t>(10)).columns().size(), 1u);
}

TEST(PackedPixelsTest, PiecesAndChunksMakeNoDifference) {
  Stream stream(2, Purpose::kTest);
  constexpr size_t kFeatures = 300;
  constexpr size_t kRows = 9000;  // more than two chunks
  std::vector<uint8_t> pixels(kRows * kFeatures);
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(stream.Below(256));
  PixelPacker packer(kFeatures);
  for (size_t row = 0; row < kRows;) {
    const size_t rows = std::min<size_t>(1 + stream.Below(500), kRows - row);
    packer.Append(std::span(pixels).subspan(row * kFeatures, rows * kFeatures));
    row += rows;
  }
  const PackedPixels packed = std::move(packer).Finish();
  EXPECT_EQ(packed.size(), kRows);
  EXPECT_TRUE(Unpacked(packed) == pixels);
}

TEST(PackedPixelsTest, NoneAreEmpty) {
  const PackedPixels none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.size(), 0u);
}

}  // namespace
}  // namespace mlp::data
