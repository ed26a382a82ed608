#include "mlp/version/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "mlp/io/atomic_file.h"
#include "mlp/io/subprocess.h"

namespace mlp::version {
namespace {

namespace fs = std::filesystem;

class VersionTest : public testing::Test {
 protected:
  void SetUp() override {
    // Whoever runs the test may have a git configuration of their own; it shall not matter.
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_CONFIG_SYSTEM", "/dev/null", 1);
    directory_ = (fs::path(testing::TempDir()) /
                  testing::UnitTest::GetInstance()->current_test_info()->name())
                     .string();
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }

  void Write(const std::string& name, const std::string& contents) {
    fs::create_directories(fs::path(directory_ + "/" + name).parent_path());
    ASSERT_TRUE(io::WriteFileAtomically(directory_ + "/" + name, contents).ok());
  }

  // A repository with one commit, if git is there.
  bool Commit() {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"init", "-q"},
             {"add", "-A"},
             {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x"}}) {
      std::vector<std::string> argv = {"git", "-C", directory_};
      argv.insert(argv.end(), arguments.begin(), arguments.end());
      const auto result = io::RunCommand(argv);
      if (!result.ok()) return false;
      EXPECT_EQ(result->exit_code, 0) << result->errors;
    }
    return true;
  }

  std::string directory_;
};

TEST_F(VersionTest, FindsCommitAndChanges) {
  Write("WORKSPACE", "workspace(name = \"mlp_lab\")\n");
  Write("results/raw/x.json", "{}");
  if (!Commit()) GTEST_SKIP() << "git is not installed";
  const SourceState clean = ReadSourceState(directory_ + "/results");
  EXPECT_THAT(clean.commit, testing::MatchesRegex("[0-9a-f]{40}"));
  EXPECT_FALSE(clean.dirty);

  Write("results/raw/y.json", "{}");
  EXPECT_FALSE(ReadSourceState(directory_).dirty) << "new results do not change the sources";
  Write("new.cc", "");
  EXPECT_TRUE(ReadSourceState(directory_).dirty);
  EXPECT_EQ(ReadSourceState(directory_).commit, clean.commit);
}

TEST_F(VersionTest, AnotherRepositoryIsUnknown) {
  Write("WORKSPACE", "workspace(name = \"other\")\n");
  if (!Commit()) GTEST_SKIP() << "git is not installed";
  EXPECT_EQ(ReadSourceState(directory_).commit, "unknown");
}

TEST_F(VersionTest, NoDirectoryIsUnknown) {
  EXPECT_EQ(ReadSourceState(directory_ + "/none").commit, "unknown");
}

TEST_F(VersionTest, TextNamesVersionAndCommit) {
  setenv("BUILD_WORKSPACE_DIRECTORY", directory_.c_str(), 1);
  EXPECT_EQ(VersionText(), std::string(kVersion) + " (commit unknown)");
  unsetenv("BUILD_WORKSPACE_DIRECTORY");
}

TEST_F(VersionTest, AProgramBelongsToTheWorkspaceThatBazelBuiltItIn) {
  Write("tree/WORKSPACE", "workspace(name = \"mlp_lab\")\n");
  const std::string top = directory_;
  directory_ = top + "/tree";
  if (!Commit()) GTEST_SKIP() << "git is not installed";
  directory_ = top;
  Write("base/DO_NOT_BUILD_HERE", top + "/tree");
  Write("base/execroot/mlp_lab/bin/program", "");
  const std::string program = top + "/base/execroot/mlp_lab/bin/program";
  fs::last_write_time(program, fs::last_write_time(program) + std::chrono::hours(1));
  const SourceState built = ReadSourceStateOfProgram(program);
  EXPECT_THAT(built.commit, testing::MatchesRegex("[0-9a-f]{40}"));
  EXPECT_FALSE(built.dirty);

  fs::last_write_time(program, fs::last_write_time(program) - std::chrono::hours(2));
  EXPECT_TRUE(ReadSourceStateOfProgram(program).dirty) << "older than the commit";

  Write("elsewhere/program", "");
  EXPECT_EQ(ReadSourceStateOfProgram(top + "/elsewhere/program").commit, "unknown");
}

}  // namespace
}  // namespace mlp::version
