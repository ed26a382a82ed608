#include "mlp/data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace mlp::data {
namespace {

TEST(SplitRowsTest, EachRowIsOnOneSideAscending) {
  for (const size_t n : {2u, 3u, 10u, 1000u}) {
    for (const double fraction : {0.3, 0.5}) {
      const auto split = SplitRows(n, fraction, 7);
      ASSERT_TRUE(split.ok()) << split.status();
      EXPECT_EQ(split->validation_rows.size(), static_cast<size_t>(std::llround(n * fraction)));
      EXPECT_TRUE(std::is_sorted(split->train_rows.begin(), split->train_rows.end()));
      EXPECT_TRUE(std::is_sorted(split->validation_rows.begin(), split->validation_rows.end()));
      std::vector<int> seen(n);
      for (const uint32_t row : split->train_rows) ++seen.at(row);
      for (const uint32_t row : split->validation_rows) ++seen.at(row);
      EXPECT_EQ(seen, std::vector<int>(n, 1));
    }
  }
}

TEST(SplitRowsTest, TheSeedDecides) {
  const auto rows = [](uint64_t seed) { return SplitRows(1000, 0.1, seed)->validation_rows; };
  EXPECT_EQ(rows(1), rows(1));
  EXPECT_NE(rows(1), rows(2));
}

TEST(SplitRowsTest, ValidationRowsComeFromEverywhere) {
  const auto split = SplitRows(1000, 0.5, 1);
  ASSERT_TRUE(split.ok());
  const auto low =
      std::lower_bound(split->validation_rows.begin(), split->validation_rows.end(), 500u) -
      split->validation_rows.begin();
  // Half of them, give or take 6 standard deviations of the hypergeometric distribution.
  EXPECT_NEAR(static_cast<double>(low), 250, 6 * 7.91);
}

TEST(SplitRowsTest, FractionZeroTrainsOnAll) {
  const auto split = SplitRows(4, 0, 1);
  ASSERT_TRUE(split.ok());
  EXPECT_EQ(split->train_rows, (std::vector<uint32_t>{0, 1, 2, 3}));
  EXPECT_TRUE(split->validation_rows.empty());
  EXPECT_TRUE(SplitRows(0, 0, 1)->train_rows.empty());
}

TEST(SplitRowsTest, RefusesWhatLeavesASideEmpty) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double fraction : {-0.1, 1.0, 2.0, nan}) {
    EXPECT_EQ(SplitRows(100, fraction, 1).status().code(), absl::StatusCode::kInvalidArgument)
        << fraction;
  }
  EXPECT_FALSE(SplitRows(10, 0.04, 1).ok());  // rounds to none
  EXPECT_FALSE(SplitRows(10, 0.96, 1).ok());  // rounds to all
  EXPECT_FALSE(SplitRows(0, 0.5, 1).ok());
  EXPECT_FALSE(SplitRows(1, 0.5, 1).ok());
}

}  // namespace
}  // namespace mlp::data
