#include "mlp/tensor/matrix.h"

#include <gtest/gtest.h>

#include <vector>

namespace mlp {
namespace {

TEST(MatrixTest, ViewsShareMemoryAndKeepTheStride) {
  std::vector<float> data = {0, 1, 2, 9, 3, 4, 5, 9, 6, 7, 8, 9};
  const Matrix a(data.data(), 3, 3, 4);
  const ConstMatrix bottom = a.Rows(1, 2);
  EXPECT_EQ(bottom.rows(), 2u);
  EXPECT_EQ(bottom(0, 0), 3.0f);
  const Matrix right = a.Cols(1, 2);
  EXPECT_EQ(right(2, 1), 8.0f);
  right(2, 1) = 42;
  EXPECT_EQ(data[10], 42.0f);
  EXPECT_TRUE(a.Rows(3, 0).empty());
}

TEST(MatrixDeathTest, ViewsDoNotReachBeyondTheirMatrix) {
  float data[4];
  EXPECT_DEATH(Matrix(data, 2, 2).Rows(1, 2), "check failed");
  EXPECT_DEATH(Matrix(data, 2, 2, 1), "check failed");
}

TEST(PaddedStrideTest, IsAnOddNumberOfLines) {
  EXPECT_EQ(PaddedStride(1), 16u);
  EXPECT_EQ(PaddedStride(10), 16u);
  EXPECT_EQ(PaddedStride(128), 144u);
  EXPECT_EQ(PaddedStride(784), 784u);
  for (size_t n = 1; n < 300; ++n) {
    EXPECT_GE(PaddedStride(n), n);
    EXPECT_EQ(PaddedStride(n) % 32, 16u);
  }
}

}  // namespace
}  // namespace mlp
