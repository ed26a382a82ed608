#include "experiments/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "mlp/flags/interrupt.h"

namespace mlp::experiments {
namespace {

using testing::HasSubstr;

const std::vector<Entry> kEntries = {{"a", 1}, {"b", 3}, {"c", 4}};

TEST(Runner, ReadsTheList) {
  const std::vector<Entry> entries = ParseEntries("a=1,b=2.5=own_data");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_FALSE(entries[0].own_data);
  EXPECT_EQ(entries[1].name, "b");
  EXPECT_EQ(entries[1].weight, 2.5);
  EXPECT_TRUE(entries[1].own_data);
}

TEST(Runner, SelectsInTheListsOrder) {
  EXPECT_EQ(Select(kEntries, {})->size(), 3u);
  const auto selected = Select(kEntries, {"c", "a"});
  ASSERT_EQ(selected->size(), 2u);
  EXPECT_EQ((*selected)[0].name, "a");
  const auto wrong = Select(kEntries, {"d"});
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr("a, b, c, found \"d\""));
}

TEST(Runner, WhatOneLeavesTheOthersShare) {
  EXPECT_EQ(ShareOf(kEntries, 0, 80), 10);
  EXPECT_EQ(ShareOf(kEntries, 1, 70), 30);
  EXPECT_EQ(ShareOf(kEntries, 2, 60), 60);
  EXPECT_EQ(ShareOf(kEntries, 2, -5), 0) << "an experiment still runs its least number of rounds";
}

TEST(Runner, KnowsWhatAnInterruptedRunHasDone) {
  const std::string path = testing::TempDir() + "/experiments.partial";
  {
    DoneList done(path, "--data=digits", /*resume=*/false);
    EXPECT_FALSE(done.Contains("a"));
    done.Add("a", 2, /*is_done=*/true);
    done.Add("b", 0.5, /*is_done=*/false);
    done.Add("c", 3, /*is_done=*/true);
  }
  {
    DoneList resumed(path, "--data=digits", /*resume=*/true);
    EXPECT_FALSE(resumed.was_of_another());
    EXPECT_TRUE(resumed.Contains("a"));
    EXPECT_FALSE(resumed.Contains("b"));
    EXPECT_TRUE(resumed.Contains("c"));
    EXPECT_EQ(resumed.Seconds(), 5.5);
    EXPECT_EQ(resumed.SecondsOfBegun("a"), 0);
    EXPECT_EQ(resumed.SecondsOfBegun("b"), 0.5);
    resumed.Add("b", 1, /*is_done=*/true);
  }
  EXPECT_TRUE(DoneList(path, "--data=digits", /*resume=*/true).Contains("b"));
  EXPECT_FALSE(DoneList(path, "--data=digits", /*resume=*/false).Contains("a"));
  EXPECT_FALSE(DoneList(path, "--data=digits", /*resume=*/true).Contains("a")) << "begun anew";
}

TEST(Runner, WhatWasDoneForAnotherQuestionIsDoneAnew) {
  const std::string path = testing::TempDir() + "/experiments.partial";
  DoneList(path, "--data=digits", /*resume=*/false).Add("a", 1, /*is_done=*/true);
  const DoneList other(path, "--data=mnist", /*resume=*/true);
  EXPECT_TRUE(other.was_of_another());
  EXPECT_FALSE(other.Contains("a"));
  EXPECT_FALSE(DoneList(path, "--data=digits", /*resume=*/true).Contains("a"));
}

TEST(Runner, PassesRequestsToEndOn) {
  EXPECT_EXIT(
      {
        flags::CatchInterrupts();
        // The shell tells its parent when it can take a signal.
        const auto finished = RunProgram({"/bin/sh", "-c",
                                          "trap 'echo asked; exit 130' TERM; kill -TERM $PPID; "
                                          "while :; do sleep 0.01; done"});
        const bool passed = finished.ok() && finished->exit_code == 130 &&
                            finished->output == "asked\n" && flags::Interrupted();
        std::_Exit(passed ? 0 : 1);
      },
      testing::ExitedWithCode(0), "interrupted");
}

TEST(Runner, CollectsOutputAndExitCode) {
  const auto finished = RunProgram({"/bin/sh", "-c", "echo words; exit 7"});
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->output, "words\n");
  EXPECT_EQ(finished->exit_code, 7);
  EXPECT_EQ(RunProgram({"/bin/sh", "-c", "kill -9 $$"})->exit_code, 137);
  EXPECT_FALSE(RunProgram({"/no/such/program"}).ok());
}

TEST(Runner, AFailureIsInTheTable) {
  const std::string text =
      ResultsText({{"a", 0, 1.25, "a.json"}, {"b", 1, 2, ""}, {"c", 137, 2, ""}});
  EXPECT_THAT(text, HasSubstr("ok"));
  EXPECT_THAT(text, HasSubstr("a.json"));
  EXPECT_THAT(text, HasSubstr("failed (1)"));
  EXPECT_THAT(text, HasSubstr("killed (9)"));
}

}  // namespace
}  // namespace mlp::experiments
