#include "mlp/io/replace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mlp/io/atomic_file.h"

namespace mlp::io {
namespace {

using testing::HasSubstr;

constexpr FileKind kKind = {"model file", "MODEL"};

class ReplaceTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(testing::TempDir()) / "replace_test";
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  std::string Write(const std::string& name, const std::string& contents) const {
    EXPECT_TRUE(WriteFileAtomically(Path(name), contents).ok());
    return Path(name);
  }

  std::filesystem::path directory_;
};

TEST_F(ReplaceTest, NothingThere) {
  EXPECT_TRUE(CheckReplaceable(Path("new"), kKind, false).ok());
  const absl::Status status = CheckReplaceable(Path("none/new"), kKind, true);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected a directory " + Path("none")));
}

TEST_F(ReplaceTest, WhereNoFileCanBe) {
  const absl::Status status = CheckReplaceable("/proc/new", kKind, true);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("/proc/new: cannot create a file in its directory"));
  EXPECT_TRUE(CheckReplaceable(Path("new"), kKind, false).ok());
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(ReplaceTest, OnlyTheSameKindOrByForce) {
  EXPECT_TRUE(CheckReplaceable(Write("model", "MODEL and more"), kKind, false).ok());
  for (const char* contents : {"MODE", "MODEM", "something else"}) {
    const std::string path = Write("other", contents);
    const absl::Status status = CheckReplaceable(path, kKind, false);
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << contents;
    EXPECT_EQ(status.message(),
              path +
                  ": file: expected a model file or nothing, found another kind of file; choose "
                  "another name, or replace it with --force");
    EXPECT_TRUE(CheckReplaceable(path, kKind, true).ok()) << contents;
    EXPECT_THAT(std::string(CheckReplaceable(path, kKind, {}).message()),
                HasSubstr("choose another name, or remove it first"));
  }
}

TEST_F(ReplaceTest, AnEmptyFileHoldsNothing) {
  EXPECT_TRUE(CheckReplaceable(Write("reserved", ""), kKind, false).ok());
}

TEST_F(ReplaceTest, AKindMayBeginInTwoWays) {
  constexpr FileKind kTable = {"table", "a,b\n", "a,b,c"};
  for (const char* contents : {"a,b\n1,2\n", "a,b,c,d\n"}) {
    EXPECT_TRUE(CheckReplaceable(Write("table", contents), kTable, false).ok()) << contents;
  }
  for (const char* contents : {"a,b", "a,b,d\n", "a,bc\n"}) {
    EXPECT_FALSE(CheckReplaceable(Write("table", contents), kTable, false).ok()) << contents;
  }
}

TEST_F(ReplaceTest, ALinkIsJudgedByWhereItLeads) {
  std::filesystem::create_directory(directory_ / "elsewhere");
  std::filesystem::create_symlink(Write("elsewhere/model", "MODEL"), Path("link"));
  EXPECT_TRUE(CheckReplaceable(Path("link"), kKind, false).ok());
  std::filesystem::create_symlink(Write("elsewhere/notes", "notes"), Path("other"));
  EXPECT_FALSE(CheckReplaceable(Path("other"), kKind, false).ok());
}

TEST_F(ReplaceTest, NeverADirectoryOrADevice) {
  EXPECT_EQ(CheckReplaceable(directory_.string(), kKind, true).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CheckReplaceable("/dev/null", kKind, true).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CheckReplaceable(Write("file", "x") + "/below", kKind, true).code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace mlp::io
