#include "analysis/inclusions.h"

#include <gtest/gtest.h>

namespace mlp::analysis {
namespace {

TEST(InclusionsTest, PutsFilesInTheirPlacesAndLeavesTheRest) {
  const std::string page = "a\n<!-- begin t.md -->\nold\nolder\n<!-- end -->\nb\n";
  const std::string expected = "a\n<!-- begin t.md -->\n\nnew\n\n<!-- end -->\nb\n";
  EXPECT_EQ(*RenewInclusions(page, {{"t.md", "new\n"}}), expected);
  EXPECT_EQ(*RenewInclusions(expected, {{"t.md", "new"}}), expected);
  EXPECT_EQ(*RenewInclusions("nothing here", {}), "nothing here");
  EXPECT_EQ(*RenewInclusions("", {}), "");
}

TEST(InclusionsTest, NamesTheLineThatIsWrong) {
  EXPECT_EQ(RenewInclusions("a\n<!-- begin t.md -->\nold", {{"t.md", "new"}}).status().message(),
            "line 2: expected `<!-- end -->` further down, found none");
  EXPECT_EQ(RenewInclusions("<!-- begin u.md -->\n<!-- end -->", {}).status().message(),
            "line 1: expected a file of the report, found u.md");
}

TEST(InclusionsTest, ABeginBeforeTheEndOfTheOneBeforeIsAnError) {
  const auto renewed = RenewInclusions(
      "<!-- begin tables/a.md -->\nmy text\n<!-- begin tables/b.md -->\nold\n<!-- end -->\n",
      {{"tables/a.md", "A"}, {"tables/b.md", "B"}});
  EXPECT_EQ(renewed.status().message(),
            "line 1: expected `<!-- end -->` further down, found another begin before it, on line "
            "3");
}

}  // namespace
}  // namespace mlp::analysis
