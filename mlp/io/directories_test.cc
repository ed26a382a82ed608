#include "mlp/io/directories.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/status/status.h"

namespace mlp::io {
namespace {

TEST(Directories, TemporaryFilesGoWhereTheEnvironmentSays) {
  const std::string directory = testing::TempDir();
  setenv("TMPDIR", directory.c_str(), 1);
  EXPECT_EQ(*TemporaryDirectory(), directory);
  const std::string file = directory + "/file";
  std::ofstream(file) << "x";
  for (const std::string& none : {directory + "/nowhere", file}) {
    setenv("TMPDIR", none.c_str(), 1);
    EXPECT_EQ(TemporaryDirectory().status(),
              absl::NotFoundError("TMPDIR: expected a directory, found " + none +
                                  "; set it to one that is there"));
  }
  unsetenv("TMPDIR");
  EXPECT_EQ(*TemporaryDirectory(), "/tmp");
}

TEST(Directories, TheCacheIsAsXdgSays) {
  setenv("XDG_CACHE_HOME", "/caches", 1);
  setenv("HOME", "/home/me", 1);
  EXPECT_EQ(*CacheDirectory(), "/caches");
  setenv("XDG_CACHE_HOME", "relative/is/ignored", 1);
  EXPECT_EQ(*CacheDirectory(), "/home/me/.cache");
  unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(*CacheDirectory(), "/home/me/.cache");
  unsetenv("HOME");
  EXPECT_EQ(CacheDirectory().status(),
            absl::NotFoundError("HOME: expected a directory with the user's files, found none; set "
                                "it, or XDG_CACHE_HOME to an absolute path"));
}

}  // namespace
}  // namespace mlp::io
