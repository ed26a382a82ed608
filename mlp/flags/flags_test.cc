#include "mlp/flags/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp::flags {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FlagsTest : public testing::Test {
 protected:
  FlagsTest() {
    flags_.Group("Training");
    flags_.Int("batch_size", &batch_size_, {.help = "rows of a step", .unit = "ROWS", .min = 1});
    flags_.Double("learning_rate", &learning_rate_, {.help = "step size", .min = 0, .max = 10});
    flags_.Double("validation", &validation_,
                  {.help = "part to hold out", .min = 0, .max = 1, .below_max = true});
    flags_.Choice("math", &math_, {"fast", "exact"}, {.help = "accuracy of functions"});
    flags_.Group("Output");
    flags_.Bool("json", &json_, "print JSON");
    flags_.String("out", &out_, {.help = "what to write", .value_name = "FILE"});
    flags_.String("in", &in_,
                  {.help = "what to read", .value_name = "FILE", .may_be_empty = false});
    flags_.StringList("only", &only_, {.help = "variants", .value_name = "NAME"});
    flags_.IntList("threads", &threads_, {.help = "thread counts", .min = 0, .max = 64});
    flags_.Example("train --batch_size=32");
  }

  std::string ErrorOf(const std::vector<std::string>& arguments) {
    const auto action = flags_.Read(arguments);
    return action.ok() ? "" : std::string(action.status().message());
  }

  Flags flags_{"train", "Trains a model."};
  int batch_size_ = 64;
  double learning_rate_ = 1e-3;
  double validation_ = 0;
  std::string math_ = "fast";
  bool json_ = false;
  std::string out_, in_;
  std::vector<std::string> only_;
  std::vector<int64_t> threads_ = {1, 2};
};

TEST_F(FlagsTest, ReadsEveryKind) {
  const auto action = flags_.Read({"--batch_size=32", "--learning_rate=5e-2", "--math=exact",
                                   "--json", "--out=a,b=c.bin", "--only=x,y z", "--threads=1,2,4"});
  ASSERT_TRUE(action.ok()) << action.status();
  EXPECT_EQ(*action, Flags::Action::kRun);
  EXPECT_EQ(batch_size_, 32);
  EXPECT_EQ(learning_rate_, 5e-2);
  EXPECT_EQ(math_, "exact");
  EXPECT_TRUE(json_);
  EXPECT_EQ(out_, "a,b=c.bin");
  EXPECT_THAT(only_, ElementsAre("x", "y z"));
  EXPECT_THAT(threads_, ElementsAre(1, 2, 4));
  EXPECT_TRUE(flags_.Given("math"));
}

TEST_F(FlagsTest, NothingGivenKeepsDefaults) {
  ASSERT_TRUE(flags_.Read({}).ok());
  EXPECT_EQ(batch_size_, 64);
  EXPECT_THAT(threads_, ElementsAre(1, 2));
  EXPECT_FALSE(flags_.Given("batch_size"));
}

TEST_F(FlagsTest, SettingsHoldWhereNoArgumentSaysOtherwise) {
  ASSERT_TRUE(flags_.Read({"--math=exact"}, {"--batch_size=8", "--math=fast", "--json=true"}).ok());
  EXPECT_EQ(batch_size_, 8);
  EXPECT_EQ(math_, "exact");
  EXPECT_TRUE(json_);
  EXPECT_TRUE(flags_.Given("math"));
  EXPECT_FALSE(flags_.Given("batch_size")) << "no argument";
  EXPECT_FALSE(flags_.Given("json"));
}

TEST_F(FlagsTest, HyphenIsUnderscore) {
  ASSERT_TRUE(flags_.Read({"--batch-size", "16", "--json=false"}).ok());
  EXPECT_EQ(batch_size_, 16);
  EXPECT_FALSE(json_);
}

TEST_F(FlagsTest, OnlyListsAreGivenMoreThanOnce) {
  EXPECT_EQ(ErrorOf({"--batch-size=8", "--math=fast", "--batch_size", "16"}),
            "--batch_size: expected once, found twice (8, 16); leave all but one out");
  EXPECT_EQ(ErrorOf({"--json", "--json", "--json=false"}),
            "--json: expected once, found 3 times (true, true, false); leave all but one out");
  EXPECT_EQ(batch_size_, 64);
  ASSERT_TRUE(flags_.Read({"--only=x", "--threads=4", "--only=y z,x", "--threads=1,8"}).ok());
  EXPECT_THAT(only_, ElementsAre("x", "y z", "x"));
  EXPECT_THAT(threads_, ElementsAre(4, 1, 8)) << "the default is no part of it";
}

TEST_F(FlagsTest, UnknownFlagNamesTheNearest) {
  EXPECT_EQ(ErrorOf({"--bach-size=3"}), "unknown flag --bach-size; did you mean --batch_size?");
  EXPECT_EQ(ErrorOf({"-json"}), "unknown flag -json; did you mean --json?");
  EXPECT_EQ(ErrorOf({"--qqqqqq"}), "unknown flag --qqqqqq; --help lists those there are");
}

TEST_F(FlagsTest, WrongValuesSayWhatWasExpected) {
  EXPECT_EQ(
      ErrorOf({"--json", "--batch-size"}),
      "--batch_size: expected a value, as in --batch_size=VALUE, found none; --help lists all "
      "flags");
  EXPECT_EQ(ErrorOf({"--batch_size=0"}),
            "--batch_size: expected an integer from 1 to 2147483647, found \"0\"");
  EXPECT_EQ(ErrorOf({"--batch_size=3000000000"}),
            "--batch_size: expected an integer from 1 to 2147483647, found \"3000000000\"");
  EXPECT_THAT(ErrorOf({"--batch_size=1.5"}), HasSubstr("found \"1.5\""));
  EXPECT_THAT(ErrorOf({"--batch_size="}), HasSubstr("found \"\""));
  EXPECT_EQ(ErrorOf({"--learning_rate=11"}),
            "--learning_rate: expected a number from 0 to 10, found \"11\"");
  EXPECT_EQ(ErrorOf({"--validation=1"}),
            "--validation: expected a number from 0 to below 1, found \"1\"");
  EXPECT_THAT(ErrorOf({"--validation=-0.1"}), HasSubstr("from 0 to below 1"));
  size_t samples = 1;
  flags_.Int("samples", &samples, {.help = "how many", .min = 1});
  EXPECT_EQ(ErrorOf({"--samples=0"}), "--samples: expected an integer of at least 1, found \"0\"");
  EXPECT_THAT(ErrorOf({"--samples=99999999999999999999"}), HasSubstr("to 9223372036854775807"));
  double decay = 0;
  flags_.Double("decay", &decay, {.help = "of weights", .min = 0});
  EXPECT_EQ(ErrorOf({"--decay=nan"}),
            "--decay: expected a finite number of at least 0, found \"nan\"");
  EXPECT_EQ(ErrorOf({"--help=me"}), "--help takes no value, found \"me\"");
  EXPECT_THAT(ErrorOf({"--learning_rate=nan"}), HasSubstr("found \"nan\""));
  EXPECT_EQ(ErrorOf({"--math=quick"}), "--math: expected one of fast, exact, found \"quick\"");
  EXPECT_EQ(ErrorOf({"--json=maybe"}), "--json: expected true or false, found \"maybe\"");
  EXPECT_THAT(ErrorOf({"--threads=1,65"}), HasSubstr("found \"65\""));
  EXPECT_THAT(ErrorOf({"--only=a,,b"}), HasSubstr("none of them empty"));
  EXPECT_THAT(ErrorOf({"--out"}), HasSubstr("out"));
}

TEST_F(FlagsTest, NothingIsNoFile) {
  EXPECT_EQ(ErrorOf({"--out="}), "");
  EXPECT_EQ(ErrorOf({"--in="}),
            "--in: expected a FILE, found nothing; name one, or leave the flag out");
}

TEST_F(FlagsTest, AnErrorWritesNoTarget) {
  EXPECT_NE(ErrorOf({"--batch_size=32", "--math=quick"}), "");
  EXPECT_EQ(batch_size_, 64);
}

TEST_F(FlagsTest, PositionalArguments) {
  EXPECT_EQ(ErrorOf({"file"}), "unexpected argument \"file\"");
  std::vector<std::string> files;
  flags_.Positional(&files, {.help = "records", .min = 1, .max = 2});
  EXPECT_EQ(ErrorOf({}), "expected 1 FILE, found 0");
  EXPECT_EQ(ErrorOf({"a", "b", "c"}), "expected at most 2 FILE, found 3");
  ASSERT_TRUE(flags_.Read({"a,1", "--json", "--", "--b"}).ok());
  EXPECT_THAT(files, ElementsAre("a,1", "--b"));
}

TEST_F(FlagsTest, HelpShowsGroupsDefaultsUnitsAndExamples) {
  EXPECT_EQ(*flags_.Read({"--help"}), Flags::Action::kHelp);
  EXPECT_EQ(*flags_.Read({"-h"}), Flags::Action::kHelp);
  EXPECT_EQ(*flags_.Read({"--version"}), Flags::Action::kVersion);
  const std::string help = flags_.Help();
  EXPECT_THAT(help, HasSubstr("train: Trains a model.\n\nUsage: train [flags]\n"));
  EXPECT_THAT(help, HasSubstr("\nTraining\n  --batch_size=ROWS           rows of a step [64]\n"));
  EXPECT_THAT(help, HasSubstr("--math=fast|exact           accuracy of functions [fast]\n"));
  EXPECT_THAT(help, HasSubstr("\nOutput\n  --json                      print JSON [off]\n"));
  EXPECT_THAT(help, HasSubstr("--threads=N,...             thread counts [1,2]\n"));
  EXPECT_THAT(help, HasSubstr("\nExamples\n  train --batch_size=32\n"));
}

TEST_F(FlagsTest, ParseGivesExitCodes) {
  const char* good[] = {"train", "--json"};
  EXPECT_EQ(flags_.Parse(2, good), std::nullopt);
  const char* bad[] = {"train", "--jsn"};
  EXPECT_EQ(flags_.Parse(2, bad), 2);
  const char* help[] = {"train", "--help"};
  flags_.Example("train --batch-size=8 --json");
  flags_.Example("bazel run //x:train -- --math=\"exact\"");
  EXPECT_EQ(flags_.Parse(2, help), 0);
}

TEST_F(FlagsTest, ExamplesAreCommandsThatWork) {
  const auto error = [this] { return std::string(flags_.CheckExamples().message()); };
  EXPECT_THAT(error(), HasSubstr("expected at least 3 examples, found 1"));
  flags_.Example("train");
  flags_.Example("bazel run //x:train");
  EXPECT_EQ(error(), "");
  flags_.Example("train --batch_size=none");
  EXPECT_THAT(error(), HasSubstr("train --batch_size=none: --batch_size: expected an integer"));
}

TEST_F(FlagsTest, AnExampleNamesTheProgram) {
  for (int i = 0; i < 3; ++i) flags_.Example("trian");
  EXPECT_THAT(std::string(flags_.CheckExamples().message()),
              HasSubstr("trian: expected train and its flags"));
}

}  // namespace
}  // namespace mlp::flags
