#include "mlp/base/shortest.h"

#include <gtest/gtest.h>

#include <limits>

namespace mlp {
namespace {

TEST(ShortestTest, ReadsBackAsTheSameNumberOfItsKind) {
  EXPECT_EQ(Shortest(0.1), "0.1");
  EXPECT_EQ(Shortest(0.1f), "0.1");
  EXPECT_EQ(Shortest(static_cast<double>(0.1f)), "0.10000000149011612");
  EXPECT_EQ(Shortest(0.9999999999999), "0.9999999999999");
  EXPECT_EQ(Shortest(-std::numeric_limits<double>::max()), "-1.7976931348623157e+308");
  EXPECT_EQ(Shortest(std::numeric_limits<double>::infinity()), "inf");
}

}  // namespace
}  // namespace mlp
