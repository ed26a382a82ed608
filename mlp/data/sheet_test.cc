#include "mlp/data/sheet.h"

#include <gtest/gtest.h>
#include <png.h>

#include <set>
#include <string>

#include "mlp/data/digits.h"

namespace mlp::data {
namespace {

TEST(SheetTest, HasOneCellForEachSample) {
  const Dataset digits = MakeDigits(1, 500, 0);
  const auto image = DrawSheet(digits, {.rows = 10, .cols = 4, .scale = 3});
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->width, 4u * (28 * 3 + 1) + 1);
  EXPECT_EQ(image->height, 10u * (28 * 3 + 1) + 1);
  EXPECT_EQ(image->pixels.size(), image->width * image->height);
  // Ink in every cell.
  std::set<std::string> cells;
  for (size_t r = 0; r < 10; ++r) {
    for (size_t c = 0; c < 4; ++c) {
      std::string cell;
      int dark = 0;
      for (size_t y = 0; y < 84; ++y) {
        for (size_t x = 0; x < 84; ++x) {
          const uint8_t pixel = image->pixels[(1 + r * 85 + y) * image->width + 1 + c * 85 + x];
          cell.push_back(static_cast<char>(pixel));
          dark += pixel < 60;
        }
      }
      EXPECT_GT(dark, 50) << r << ", " << c;
      cells.insert(cell);
    }
  }
  EXPECT_EQ(cells.size(), 40u);
}

TEST(SheetTest, TheSeedChoosesSamples) {
  const Dataset digits = MakeDigits(1, 500, 0);
  const auto draw = [&](uint64_t seed) { return DrawSheet(digits, {.seed = seed})->pixels; };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(SheetTest, FewSamplesLeaveCellsWhite) {
  const Dataset none = MakeDigits(1, 0, 0);
  const auto image = DrawSheet(none, {.rows = 3, .cols = 3, .scale = 1});
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->pixels[5 * image->width + 5], 255);
}

TEST(SheetTest, RefusesSizesThatMakeNoPicture) {
  const Dataset digits = MakeDigits(1, 10, 0);
  constexpr size_t kHuge = static_cast<size_t>(-1);
  for (const SheetOptions& options :
       {SheetOptions{.rows = 0}, SheetOptions{.cols = 0}, SheetOptions{.scale = 0},
        SheetOptions{.rows = kHuge}, SheetOptions{.cols = kHuge}, SheetOptions{.scale = kHuge},
        SheetOptions{.rows = 1 << 20, .cols = 1 << 20}, SheetOptions{.scale = 1 << 20}}) {
    EXPECT_EQ(DrawSheet(digits, options).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(WritePngTest, LibpngReadsItBack) {
  const std::string path = testing::TempDir() + "/sheet.png";
  const auto image = DrawSheet(MakeDigits(1, 100, 0), {.rows = 2, .cols = 3});
  ASSERT_TRUE(WritePng(path, *image).ok());
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  ASSERT_NE(png_image_begin_read_from_file(&header, path.c_str()), 0) << header.message;
  EXPECT_EQ(header.width, image->width);
  EXPECT_EQ(header.height, image->height);
  header.format = PNG_FORMAT_GRAY;
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(header));
  ASSERT_NE(png_image_finish_read(&header, nullptr, pixels.data(), 0, nullptr), 0);
  EXPECT_EQ(pixels, image->pixels);
}

TEST(WritePngTest, SaysWhyItCannotWrite) {
  const auto image = DrawSheet(MakeDigits(1, 10, 0), {.rows = 1, .cols = 1});
  EXPECT_EQ(WritePng(testing::TempDir() + "/no/such/folder.png", *image).code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace mlp::data
