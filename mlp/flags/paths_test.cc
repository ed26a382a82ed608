#include "mlp/flags/paths.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace mlp::flags {
namespace {

TEST(PathsTest, RelativeToWhereTheUserStands) {
  setenv("BUILD_WORKING_DIRECTORY", "/home/user", 1);
  EXPECT_EQ(ResolvePath("a/b"), "/home/user/a/b");
  EXPECT_EQ(ResolvePath("/a/b"), "/a/b");
  EXPECT_EQ(ResolvePath(""), "");
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(ResolvePath("a/b"), "a/b");
}

TEST(PathsTest, BelowTheSourceTree) {
  setenv("BUILD_WORKSPACE_DIRECTORY", "/src", 1);
  EXPECT_EQ(WorkspacePath("results"), "/src/results");
  unsetenv("BUILD_WORKSPACE_DIRECTORY");
  EXPECT_EQ(WorkspacePath("results"), "results");
}

}  // namespace
}  // namespace mlp::flags
