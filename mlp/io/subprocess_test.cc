#include "mlp/io/subprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp::io {
namespace {

TEST(RunCommandTest, PassesInputAndCollectsBothOutputs) {
  const auto result = RunCommand({"sh", "-c", "cat; echo oops >&2; exit 3"}, "hello");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->output, "hello");
  EXPECT_EQ(result->errors, "oops\n");
}

TEST(RunCommandTest, LongStreamsDoNotBlock) {
  const std::string input(3 << 20, 'x');
  const auto result = RunCommand({"sh", "-c", "tee /dev/stderr"}, input);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, input);
  EXPECT_EQ(result->errors.size(), input.size());
}

TEST(RunCommandTest, ArgumentsReachNoShell) {
  const auto result = RunCommand({"printf", "%s", "`id` $HOME; 'a b'"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, "`id` $HOME; 'a b'");
}

TEST(RunCommandTest, ASignalIsAnExitCode) {
  const auto result = RunCommand({"sh", "-c", "kill -TERM $$"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 128 + 15);
}

TEST(RunCommandTest, AMissingProgramIsNamed) {
  const auto result = RunCommand({"no-such-program-here"});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(result.status().message()), testing::HasSubstr("no-such-program-here"));
}

}  // namespace
}  // namespace mlp::io
