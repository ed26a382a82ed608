#include "experiments/harness/timed_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp::experiments {
namespace {

using ::testing::HasSubstr;

TEST(TimedCommandTest, TheMedianOfWhatItPrints) {
  EXPECT_DOUBLE_EQ(*PrintedSeconds("a tape    21.5 us/sample   0.85 ns/node\n"), 21.5e-6);
  EXPECT_DOUBLE_EQ(*PrintedSeconds("30us, 10 us, 20. us, 7 usual things"), 20e-6);
  for (const char* none : {"", "12 ms", "0 us", "us"}) {
    EXPECT_THAT(std::string(PrintedSeconds(none).status().message()),
                HasSubstr("expected a time in what it printed, as \"12.3 us\""))
        << none;
  }
}

TEST(TimedCommandTest, RunsTheCommand) {
  const auto commands = ParseTimedCommands({"other=/bin/echo it took 12.5 us a sample"});
  ASSERT_TRUE(commands.ok()) << commands.status();
  EXPECT_EQ(commands->front().name, "other");
  EXPECT_DOUBLE_EQ(*commands->front().Seconds(), 12.5e-6);
}

TEST(TimedCommandTest, SaysWhatIsWrong) {
  for (const char* text : {"", "name", "name=", "=/bin/echo", "name= "}) {
    EXPECT_THAT(std::string(ParseTimedCommands({text}).status().message()),
                HasSubstr("--command: expected NAME=COMMAND, found"))
        << text;
  }
  const auto error = [](const std::string& text) {
    return std::string(ParseTimedCommands({text})->front().Seconds().status().message());
  };
  EXPECT_THAT(error("a=/bin/false"), HasSubstr("/bin/false: ended with exit code 1"));
  EXPECT_THAT(error("a=/bin/echo 3 ms"), HasSubstr("/bin/echo: expected a time"));
  EXPECT_FALSE(ParseTimedCommands({"a=/no/such/program"})->front().Seconds().ok());
}

TEST(TimedCommandTest, NamesAreTakenOnce) {
  const TimedCommand a = {"a", {"/bin/true"}};
  const TimedCommand b = {"b", {"/bin/true"}};
  EXPECT_TRUE(CheckNames({a, b}, {"c"}).ok());
  EXPECT_THAT(std::string(CheckNames({a, b}, {"b"}).message()), HasSubstr("found b"));
  EXPECT_THAT(std::string(CheckNames({a, b, a}, {}).message()), HasSubstr("found a"));
}

}  // namespace
}  // namespace mlp::experiments
