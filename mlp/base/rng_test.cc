#include "mlp/base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace mlp {
namespace {

// The known answers that the authors of Philox publish with their code (kat_vectors).
TEST(PhiloxTest, KnownAnswers) {
  using A4 = std::array<uint32_t, 4>;
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}), (A4{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (A4{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (A4{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(StreamTest, NamesDecideTheNumbers) {
  const auto first = [](Stream stream) { return stream.NextU32(); };
  const uint32_t one = first(Stream(1, Purpose::kTest, 2, 3));
  EXPECT_EQ(first(Stream(1, Purpose::kTest, 2, 3)), one);
  const std::set<uint32_t> others = {one,
                                     first(Stream(2, Purpose::kTest, 2, 3)),
                                     first(Stream(1, Purpose::kShuffle, 2, 3)),
                                     first(Stream(1, Purpose::kTest, 3, 3)),
                                     first(Stream(1, Purpose::kTest, 2, 4)),
                                     first(Stream(uint64_t{1} << 32 | 1, Purpose::kTest, 2, 3))};
  EXPECT_EQ(others.size(), 6u);
}

TEST(StreamTest, UniformAndNormalHaveTheirMoments) {
  Stream stream(1, Purpose::kTest);
  constexpr int kDraws = 200000;
  double uniform = 0, normal = 0, square = 0;
  for (int i = 0; i < kDraws; ++i) {
    const float u = stream.Uniform();
    ASSERT_GE(u, 0.0f);
    ASSERT_LT(u, 1.0f);
    uniform += u;
    const double z = stream.Normal();
    normal += z;
    square += z * z;
  }
  EXPECT_NEAR(uniform / kDraws, 0.5, 0.003);
  EXPECT_NEAR(normal / kDraws, 0, 0.01);
  EXPECT_NEAR(square / kDraws, 1, 0.015);
}

TEST(StreamTest, BelowIsUniformAndInRange) {
  Stream stream(1, Purpose::kTest);
  std::array<int, 3> counts = {};
  for (int i = 0; i < 30000; ++i) ++counts.at(stream.Below(3));
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
  EXPECT_EQ(stream.Below(1), 0u);
}

TEST(ShuffleTest, IsAPermutationAndMovesThings) {
  std::vector<uint32_t> items(1000);
  std::iota(items.begin(), items.end(), 0);
  const std::vector<uint32_t> sorted = items;
  Stream stream(1, Purpose::kTest);
  Shuffle(stream, items);
  EXPECT_NE(items, sorted);
  std::sort(items.begin(), items.end());
  EXPECT_EQ(items, sorted);
}

}  // namespace
}  // namespace mlp
