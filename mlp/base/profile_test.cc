#include "mlp/base/profile.h"

#include <gtest/gtest.h>

#include <set>

namespace mlp {
namespace {

TEST(ProfileTest, OpsHaveNamesOfTheirOwn) {
  std::set<absl::string_view> names;
  for (const ProfileOp op : kProfileOps) {
    EXPECT_TRUE(names.insert(Name(op)).second) << Name(op);
    EXPECT_FALSE(PhaseOf(op).empty());
  }
}

TEST(ProfileTest, SumsCoverAllSpansAndTheRingKeepsTheNewest) {
  Profile profile(2, 3, /*spans=*/4);
  for (int64_t i = 0; i < 10; ++i) {
    profile.lane(0)->Add({10 * i, 10 * i + 6, {2, 3}, ProfileOp::kForward, 1});
  }
  profile.lane(1)->Add({0, 40, {5, 7}, ProfileOp::kForward, 1});
  profile.lane(1)->Add({50, 52, {}, ProfileOp::kWait, kNoLayer});

  const std::vector<ProfileSpan> spans = profile.lanes()[0].Spans();
  ASSERT_EQ(spans.size(), 4u);
  for (size_t i = 0; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].begin_ns, 10 * static_cast<int64_t>(6 + i));
  }
  EXPECT_EQ(profile.lanes()[1].Spans().size(), 2u);

  const std::vector<Profile::Summary> summaries = profile.Summarize();
  ASSERT_EQ(summaries.size(), 2u);
  EXPECT_EQ(summaries[0].op, ProfileOp::kForward);
  EXPECT_EQ(summaries[0].layer, 1);
  EXPECT_EQ(summaries[0].calls, 11u);
  EXPECT_DOUBLE_EQ(summaries[0].seconds, 50e-9);
  EXPECT_EQ(summaries[0].work.flop, 25);
  EXPECT_EQ(summaries[0].work.bytes, 37);
  EXPECT_EQ(summaries[1].op, ProfileOp::kWait);
  EXPECT_EQ(summaries[1].layer, kNoLayer);
}

TEST(ProfileTest, MeansAreOverTheThreadsThatNotedSomething) {
  Profile profile(2, 1);
  EXPECT_EQ(profile.threads(), 0);
  profile.lane(0)->Add({0, 60, {}, ProfileOp::kForward, 0});
  EXPECT_EQ(profile.threads(), 1);
  EXPECT_DOUBLE_EQ(profile.Summarize().at(0).seconds, 60e-9);
}

TEST(ProfileTest, ScopesNoteTheirLifetime) {
  Profile profile(1, 1);
  { const ProfileScope scope(profile.lane(0), ProfileOp::kLoss, 0, {1, 2}); }
  { const ProfileScope off(nullptr, ProfileOp::kLoss, 0, {1, 2}); }
  const std::vector<ProfileSpan> spans = profile.lanes()[0].Spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_GE(spans[0].begin_ns, profile.start_ns());
  EXPECT_GE(spans[0].end_ns, spans[0].begin_ns);
  EXPECT_EQ(spans[0].work.bytes, 2);
}

}  // namespace
}  // namespace mlp
