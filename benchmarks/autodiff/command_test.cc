#include "benchmarks/autodiff/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp::autodiff {
namespace {

using ::testing::HasSubstr;

TEST(CommandTest, TheMedianOfWhatItPrints) {
  EXPECT_DOUBLE_EQ(*SampleSeconds("a tape    21.5 us/sample   0.85 ns/node\n"), 21.5e-6);
  EXPECT_DOUBLE_EQ(*SampleSeconds("30us, 10 us, 20. us, 7 usual things"), 20e-6);
  for (const char* none : {"", "12 ms", "0 us", "us"}) {
    EXPECT_THAT(std::string(SampleSeconds(none).status().message()),
                HasSubstr("expected a time in what it printed, as \"12.3 us\""))
        << none;
  }
}

TEST(CommandTest, RunsTheCommand) {
  const auto engine = CommandEngine("other=/bin/echo it took 12.5 us a sample");
  ASSERT_TRUE(engine.ok()) << engine.status();
  EXPECT_EQ(engine->name, "other");
  EXPECT_DOUBLE_EQ(*engine->seconds(), 12.5e-6);
}

TEST(CommandTest, SaysWhatIsWrong) {
  for (const char* text : {"", "name", "name=", "=/bin/echo", "name= "}) {
    EXPECT_THAT(std::string(CommandEngine(text).status().message()),
                HasSubstr("--command: expected NAME=COMMAND, found"))
        << text;
  }
  EXPECT_THAT(std::string(CommandEngine("a=/bin/false")->seconds().status().message()),
              HasSubstr("/bin/false: ended with exit code 1"));
  EXPECT_THAT(std::string(CommandEngine("a=/bin/echo 3 ms")->seconds().status().message()),
              HasSubstr("/bin/echo: expected a time"));
  EXPECT_FALSE(CommandEngine("a=/no/such/program")->seconds().ok());
}

}  // namespace
}  // namespace mlp::autodiff
