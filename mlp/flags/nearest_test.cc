#include "mlp/flags/nearest.h"

#include <gtest/gtest.h>

namespace mlp::flags {
namespace {

TEST(EditDistanceTest, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("flaw", "lawn"), 2u);
  EXPECT_EQ(EditDistance("epohcs", "epochs"), 1u);
}

TEST(NearestTest, FindsSlipsButNotStrangers) {
  EXPECT_EQ(Nearest("optimiser", {"epochs", "optimizer"}), "optimizer");
  EXPECT_EQ(Nearest("zzzz", {"epochs", "optimizer"}), "");
  EXPECT_EQ(Nearest("ab", {"ax", "ay"}), "ax");
  EXPECT_EQ(Nearest("ab", {}), "");
}

TEST(NearestTest, ABeginningIsNearest) {
  EXPECT_EQ(Nearest("batch", {"math", "batch_size"}), "batch_size");
  EXPECT_EQ(Nearest("dat", {"data_dir", "data", "rate"}), "data");
  EXPECT_EQ(Nearest("b", {"batch_size"}), "") << "one letter says too little";
}

}  // namespace
}  // namespace mlp::flags
