#include "benchmarks/peers/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace mlp::peers {
namespace {

using testing::HasSubstr;

constexpr char kFake[] = "benchmarks/peers/fake_peer";
constexpr double kEnough = 60;  // seconds; far more than any answer takes

std::unique_ptr<Process> StartFake(const std::string& how) {
  auto process = Process::Start({kFake, how});
  EXPECT_TRUE(process.ok()) << process.status();
  EXPECT_TRUE((*process)->Call({{"op", "init"}, {"threads", 1}}, kEnough).ok());
  return *std::move(process);
}

std::string EpochError(const std::string& how, double timeout_s = kEnough) {
  const auto process = StartFake(how);
  const auto answer = process->Call({{"op", "epoch"}}, timeout_s);
  EXPECT_FALSE(answer.ok());
  EXPECT_FALSE(process->Call({{"op", "epoch"}}, kEnough).ok()) << "gone after an error";
  return std::string(answer.status().message());
}

// 'R' running, 'S' sleeping, 'T' stopped; ' ' for no such process.
char StateOf(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::stringstream text;
  text << file.rdbuf();
  const size_t end = text.str().rfind(')');
  return end == std::string::npos ? ' ' : text.str()[end + 2];
}

TEST(Process, AnswersOneRequestAfterTheOther) {
  const auto process = StartFake("good");
  for (int epoch = 1; epoch <= 3; ++epoch) {
    const auto answer = process->Call({{"op", "epoch"}}, kEnough);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_DOUBLE_EQ(ParseEpochAnswer(*answer)->loss.value(), 1.0 / epoch);
  }
}

TEST(Process, DoesNotRunBetweenRequests) {
  const auto process = StartFake("good");
  // The signal is sent before Call returns; the kernel may take a moment to act on it.
  while (StateOf(process->pid()) != 'T') usleep(1000);
  ASSERT_TRUE(process->Call({{"op", "epoch"}}, kEnough).ok());
  while (StateOf(process->pid()) != 'T') usleep(1000);
}

TEST(Process, IsGoneWithItsObject) {
  for (const char* how : {"good", "stays"}) {
    auto process = StartFake(how);
    const pid_t pid = process->pid();
    process.reset();
    EXPECT_EQ(kill(pid, 0), -1) << how;
    EXPECT_EQ(errno, ESRCH) << how;
  }
}

TEST(Process, ErrorsSayWhatHappened) {
  EXPECT_THAT(EpochError("dies"), HasSubstr("exit code 3"));
  EXPECT_THAT(EpochError("dies"), HasSubstr("out of luck"));
  EXPECT_THAT(EpochError("killed"), HasSubstr("signal 9"));
  EXPECT_THAT(EpochError("garbage"), HasSubstr("found: Epoch 1/1 [====]"));
  EXPECT_THAT(EpochError("chatty"), HasSubstr("found more after it: {\"ok\":true"));
  EXPECT_EQ(EpochError("refuses"), "no more epochs today");
  EXPECT_THAT(EpochError("closes"), HasSubstr("closed its standard output"));
  EXPECT_THAT(EpochError("hangs", /*timeout_s=*/0.2), HasSubstr("no answer within 0.2 s"));
  EXPECT_THAT(EpochError("endless"), HasSubstr("without an end of line"));
}

TEST(Process, AProgramThatIsNotThere) {
  const auto process = Process::Start({"/no/such/program"});
  EXPECT_EQ(process.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(process.status().message()), HasSubstr("/no/such/program"));
}

}  // namespace
}  // namespace mlp::peers
