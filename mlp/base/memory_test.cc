#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/arena.h"

namespace mlp {
namespace {

TEST(AlignedBufferTest, IsZeroedAlignedAndMoves) {
  for (const size_t n : {size_t{1}, size_t{17}, size_t{1} << 20}) {
    AlignedBuffer<float> buffer(n);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % kCacheLineBytes, 0u);
    for (const float x : buffer) ASSERT_EQ(x, 0.0f);
    buffer[n - 1] = 5;
    const float* data = buffer.data();
    AlignedBuffer<float> moved = std::move(buffer);
    EXPECT_EQ(moved.data(), data);
    EXPECT_EQ(moved.size(), n);
    EXPECT_EQ(moved[n - 1], 5.0f);
  }
  EXPECT_TRUE(AlignedBuffer<int>().empty());
}

TEST(ArenaTest, WhatIsSetApartIsAPageAway) {
  std::span<float> before, after;
  const Arena arena = Arena::For([&](Arena& plan) {
    before = plan.Take<float>(3);
    plan.SetApart();
    after = plan.Take<float>(3);
  });
  EXPECT_EQ(
      reinterpret_cast<const char*>(after.data()) - reinterpret_cast<const char*>(before.data()),
      4096 + 64);
}

TEST(ArenaTest, PiecesAreApartAlignedAndZeroed) {
  std::span<float> a;
  std::span<uint8_t> b;
  std::span<double> none;
  const Arena arena = Arena::For([&](Arena& plan) {
    a = plan.Take<float>(3);
    none = plan.Take<double>(0);
    b = plan.Take<uint8_t>(100);
  });
  EXPECT_EQ(arena.bytes(), 64u + 128u);
  EXPECT_EQ(a.size(), 3u);
  EXPECT_EQ(none.size(), 0u);
  EXPECT_EQ(b.size(), 100u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data()) % kCacheLineBytes, 0u);
  EXPECT_EQ(reinterpret_cast<std::byte*>(b.data()) - reinterpret_cast<std::byte*>(a.data()), 64);
  for (const float x : a) EXPECT_EQ(x, 0.0f);
}

}  // namespace
}  // namespace mlp
