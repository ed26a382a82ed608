#include "mlp/data/preprocess.h"

#include <gtest/gtest.h>

#include <vector>

namespace mlp::data {
namespace {

TEST(NormalizeTest, MapsBytesToUnitInterval) {
  std::vector<uint8_t> pixels(256);
  for (int i = 0; i < 256; ++i) pixels[i] = static_cast<uint8_t>(i);
  std::vector<float> out(256);
  Normalize(pixels, Matrix(out.data(), 2, 128));
  EXPECT_EQ(out[0], 0.0f);
  EXPECT_EQ(out[255], 1.0f);
  for (int i = 0; i < 256; ++i) EXPECT_FLOAT_EQ(out[i], static_cast<float>(i / 255.0));
}

TEST(NormalizeTest, KeepsOutOfThePadding) {
  const std::vector<uint8_t> pixels = {255, 0, 0, 255};
  std::vector<float> out(6, 7.0f);
  Normalize(pixels, Matrix(out.data(), 2, 2, 3));
  EXPECT_EQ(out, (std::vector<float>{1, 0, 7, 0, 1, 7}));
}

TEST(OneHotTest, OneOneInEachRow) {
  const std::vector<uint8_t> labels = {2, 0, 1};
  std::vector<float> out(12, 7.0f);
  ASSERT_TRUE(OneHot(labels, Matrix(out.data(), 3, 3, 4)).ok());
  EXPECT_EQ(out, (std::vector<float>{0, 0, 1, 7, 1, 0, 0, 7, 0, 1, 0, 7}));
}

TEST(OneHotTest, NamesALabelThatIsNoClass) {
  const std::vector<uint8_t> labels = {2, 3};
  std::vector<float> out(6);
  const absl::Status status = OneHot(labels, Matrix(out.data(), 2, 3));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "label 1: expected a class below 3, found 3; check the labels or the classes");
}

TEST(PreprocessTest, NoRows) {
  Normalize({}, Matrix(nullptr, 0, 5));
  EXPECT_TRUE(OneHot({}, Matrix(nullptr, 0, 5)).ok());
}

}  // namespace
}  // namespace mlp::data
