#include "mlp/flags/program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <new>

#include "absl/functional/function_ref.h"

namespace mlp::flags {
namespace {

using testing::HasSubstr;

TEST(ProgramTest, PassesTheExitCodeOn) {
  for (const int code : {0, 1, 2, 130}) EXPECT_EQ(RunMain("program", [&] { return code; }), code);
}

TEST(ProgramTest, LackOfMemoryIsAMessage) {
  const auto exhausted = []() -> int { throw std::bad_alloc(); };
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunMain("program", exhausted), 1);
  EXPECT_EQ(RunMain("program", exhausted, /*failed=*/2), 2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("program: memory: expected enough"));
}

// Runs it in a process of its own: what it learns of its output stays with it.
void ExpectExit(const char* stdout_path, int expected, const char* message,
                absl::FunctionRef<int()> body, int failed = 1) {
  EXPECT_EXIT(
      {
        dup2(open(stdout_path, O_WRONLY), STDOUT_FILENO);
        _exit(RunMain("program", body, failed));
      },
      testing::ExitedWithCode(expected), message);
}

TEST(ProgramTest, OutputThatCannotBeWrittenIsAFailure) {
  const auto print = [] {
    PrintText("words");
    return 0;
  };
  const auto print_late = [] {
    std::fputs("words", stdout);
    return 0;
  };
  const auto print_much = [] {
    for (int i = 0; i < 100000; ++i) std::fputs("words", stdout);
    return 0;
  };
  const char* const message = "program: standard output: cannot write: No space left on device";
  ExpectExit("/dev/full", 1, message, print);
  ExpectExit("/dev/full", 1, message, print_late);
  ExpectExit("/dev/full", 2, message, print_late, /*failed=*/2);
  ExpectExit("/dev/full", 1, "program: standard output: cannot write", print_much);
  ExpectExit("/dev/null", 0, "^$", print);
  // A verdict that nobody could read why is none.
  const auto judge = [] {
    PrintText("words");
    return 3;
  };
  ExpectExit("/dev/full", 2, message, judge, /*failed=*/2);
}

TEST(ProgramTest, WhoClosesAPipeHasSeenEnough) {
  EXPECT_EXIT(
      {
        int ends[2];
        if (pipe(ends) != 0) _exit(99);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[1]);
        close(ends[0]);
        _exit(RunMain("program", [] {
          PrintText("words");
          for (int i = 0; i < 100000; ++i) std::fputs("words", stdout);
          return 0;
        }));
      },
      testing::ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace mlp::flags
