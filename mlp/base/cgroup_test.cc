#include "mlp/base/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace mlp {
namespace {

using testing::ElementsAre;

std::vector<std::string> DirectoriesFor(const std::string& text) {
  const std::string path = testing::TempDir() + "/cgroup";
  std::ofstream(path) << text;
  return CgroupDirectories(path, "/root");
}

TEST(CgroupTest, FromTheProcessesOwnToTheRoot) {
  EXPECT_THAT(DirectoriesFor("1:cpu:/old\n0::/user/me\n"),
              ElementsAre("/root/user/me", "/root/user", "/root"));
  EXPECT_THAT(DirectoriesFor("0::/\n"), ElementsAre("/root"));
  EXPECT_THAT(DirectoriesFor("1:cpu:/old\n"), ElementsAre("/root"));
  EXPECT_THAT(CgroupDirectories("/no/such/file", "/root"), ElementsAre("/root"));
}

}  // namespace
}  // namespace mlp
