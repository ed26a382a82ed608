#include "mlp/io/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace mlp::io {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class AtomicFileTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) /
                 testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  size_t FilesThere() const {
    return std::distance(fs::directory_iterator(directory_), fs::directory_iterator());
  }

  fs::path directory_;
};

TEST_F(AtomicFileTest, WritesAndReadsBack) {
  const std::string contents("a\0b\n", 4);
  ASSERT_TRUE(WriteFileAtomically(Path("x"), contents).ok());
  EXPECT_EQ(*ReadFile(Path("x"), 4), contents);
  EXPECT_EQ(FilesThere(), 1u);
}

TEST_F(AtomicFileTest, ReplacesAndKeepsTheMode) {
  ASSERT_TRUE(WriteFileAtomically(Path("x"), "old").ok());
  fs::permissions(Path("x"), fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_TRUE(WriteFileAtomically(Path("x"), "new").ok());
  EXPECT_EQ(*ReadFile(Path("x"), 100), "new");
  EXPECT_EQ(fs::status(Path("x")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(AtomicFileTest, WritesWhereALinkLeads) {
  fs::create_directory(Path("elsewhere"));
  ASSERT_TRUE(WriteFileAtomically(Path("elsewhere/x"), "old").ok());
  fs::create_symlink("elsewhere/x", Path("link"));
  ASSERT_TRUE(WriteFileAtomically(Path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(*ReadFile(Path("elsewhere/x"), 100), "new");
  // One that leads nowhere is replaced.
  fs::create_symlink("none", Path("lost"));
  ASSERT_TRUE(WriteFileAtomically(Path("lost"), "new").ok());
  EXPECT_FALSE(fs::is_symlink(Path("lost")));
}

TEST_F(AtomicFileTest, NewFileHasTheUsualMode) {
  const mode_t old_mask = umask(022);
  ASSERT_TRUE(WriteFileAtomically(Path("x"), "").ok());
  umask(old_mask);
  struct stat found;
  ASSERT_EQ(stat(Path("x").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0644u);
}

TEST_F(AtomicFileTest, FailIfExistsLeavesTheOldFileAndNoTemporary) {
  ASSERT_TRUE(WriteFileAtomically(Path("x"), "old", IfExists::kFail).ok());
  const absl::Status status = WriteFileAtomically(Path("x"), "new", IfExists::kFail);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("x")));
  EXPECT_EQ(*ReadFile(Path("x"), 100), "old");
  EXPECT_EQ(FilesThere(), 1u);
}

TEST_F(AtomicFileTest, ErrorsNameThePathAndLeaveNothing) {
  const absl::Status status = WriteFileAtomically(Path("none/x"), "a");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("none/x")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("No such file or directory"));

  fs::create_directory(Path("directory"));
  EXPECT_EQ(WriteFileAtomically(Path("directory"), "a").code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(FilesThere(), 1u);
}

TEST_F(AtomicFileTest, ADeviceIsNotReplaced) {
  EXPECT_EQ(WriteFileAtomically("/dev/null", "a").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(AtomicFileTest, ReadRefusesWhatIsTooLongMissingOrADirectory) {
  ASSERT_TRUE(WriteFileAtomically(Path("x"), "12345").ok());
  const auto too_long = ReadFile(Path("x"), 4);
  EXPECT_EQ(too_long.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(too_long.status().message()), HasSubstr("at most 4 bytes, found 5"));
  EXPECT_EQ(ReadFile(Path("none"), 4).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ReadFile(directory_.string(), 4).status().message()),
              HasSubstr("found a directory"));
}

TEST_F(AtomicFileTest, CreatesDirectoriesOnceAndAgain) {
  EXPECT_TRUE(CreateDirectories(Path("a/b/c")).ok());
  EXPECT_TRUE(CreateDirectories(Path("a/b/c")).ok());
  ASSERT_TRUE(WriteFileAtomically(Path("file"), "").ok());
  const absl::Status status = CreateDirectories(Path("file/below"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("file/below")));
}

}  // namespace
}  // namespace mlp::io
