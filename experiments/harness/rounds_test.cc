#include "experiments/harness/rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/status/status.h"
#include "mlp/record/testing.h"

namespace mlp::experiments {
namespace {

using record::RunRecord;
using record::RunStatus;
using testing::ElementsAre;

// Variants that take a second each on a clock of their own.
class RoundsTest : public testing::Test {
 protected:
  void SetUp() override {
    out_ = testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(out_);
  }

  static Table MakeTable(const std::string& group, const std::vector<std::string>& names) {
    Table table({.name = group, .baseline = names[0]});
    for (const std::string& name : names) {
      table.Add({.name = name, .params = {{"letter", name}}, .body = nullptr});
    }
    table.Complete();
    return table;
  }

  record::RecordWriter Writer(bool resume = false) {
    if (resume) {
      auto resumed = record::RecordWriter::Resume(out_, record::TestHead("rounds"));
      EXPECT_TRUE(resumed.ok()) << resumed.status();
      return **std::move(resumed);
    }
    auto writer = record::RecordWriter::Open(out_, record::TestHead("rounds"));
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }

  Outcome Run(const std::vector<Table>& tables, const RoundOptions& options,
              record::RecordWriter& writer) {
    const RoundHooks hooks = {
        .clock_s = [this] { return now_s_; },
        .interrupted = [this] { return measured_ == interrupt_after_; },
        .measure = [this](const Variant& variant, RunRecord& run) -> absl::Status {
          ++measured_;
          now_s_ += 1;
          run.metrics["value"] = 1;
          if (fails_.contains(variant.name)) return absl::AbortedError("it broke");
          return absl::OkStatus();
        },
        .announce = [](int, size_t, size_t, const Variant&) {}};
    auto outcome = RunRounds(tables, options, hooks, writer);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return *outcome;
  }

  // The variants of a repetition in the order they ran in.
  static std::vector<std::string> Order(const record::RecordWriter& writer, int repetition) {
    std::vector<std::string> names;
    for (const RunRecord& run : writer.finished()) {
      if (run.repetition == repetition) names.push_back(run.variant);
    }
    return names;
  }

  std::string out_;
  double now_s_ = 0;
  int measured_ = 0;
  int interrupt_after_ = -1;
  std::set<std::string> fails_;
};

TEST_F(RoundsTest, TheBaselineRunsTwice) {
  const Table table = MakeTable("", {"a", "b"});
  EXPECT_THAT(table.view().variants, ElementsAre("a", "a (again)", "b"));
  EXPECT_EQ(table.view().baseline_again, "a (again)");
  EXPECT_EQ(table.variants()[1].params, table.variants()[0].params);
  Table without({.baseline = "a"});
  without.Add({.name = "a", .params = {}, .body = nullptr});
  without.OmitBaselineAgain();
  without.Complete();
  EXPECT_THAT(without.view().variants, ElementsAre("a"));
  EXPECT_EQ(without.view().baseline_again, "");
}

TEST_F(RoundsTest, EveryRoundRunsAllWithOneSeed) {
  record::RecordWriter writer = Writer();
  const Outcome outcome = Run({MakeTable("x", {"a", "b"}), MakeTable("y", {"c"})},
                              {.repetitions = 4, .seed = 7}, writer);
  EXPECT_EQ(outcome.rounds, 4);
  ASSERT_EQ(writer.finished().size(), 4u * 5u);
  for (size_t i = 0; i < 20; ++i) {
    const RunRecord& run = writer.finished()[i];
    EXPECT_EQ(run.repetition, static_cast<int>(i / 5)) << "rounds are complete before the next";
    EXPECT_EQ(run.seed, 7u + i / 5);
    EXPECT_EQ(run.Group(), run.variant[0] == 'c' ? "y" : "x");
  }
}

TEST_F(RoundsTest, TheOrderIsRandomAndRepeatable) {
  const std::vector<Table> tables = {MakeTable("", {"a", "b", "c", "d", "e"})};
  record::RecordWriter first = Writer(), second = Writer();
  Run(tables, {.repetitions = 6, .seed = 3}, first);
  Run(tables, {.repetitions = 6, .seed = 3}, second);
  std::set<std::vector<std::string>> orders;
  for (int round = 0; round < 6; ++round) {
    EXPECT_EQ(Order(first, round), Order(second, round));
    orders.insert(Order(first, round));
  }
  EXPECT_GT(orders.size(), 3u);
}

TEST_F(RoundsTest, RoundsFillTheBudgetButNotMore) {
  record::RecordWriter writer = Writer();
  // Three seconds a round: the fourth would end at 12.
  const Outcome outcome = Run({MakeTable("", {"a", "b"})}, {.budget_s = 10}, writer);
  EXPECT_EQ(outcome.rounds, 3);
  EXPECT_FALSE(outcome.over_budget);
  EXPECT_EQ(now_s_, 9);
}

TEST_F(RoundsTest, WhatWasSpentBeforeCounts) {
  const std::vector<Table> tables = {MakeTable("", {"a", "b"})};
  const RoundOptions options = {.budget_s = 10};
  interrupt_after_ = 7;  // Two rounds of three seconds, and one run of the third.
  {
    record::RecordWriter writer = Writer();
    EXPECT_TRUE(Run(tables, options, writer).interrupted);
    EXPECT_EQ(writer.finished()[0].timings.at("run_s"), std::vector<double>{1});
  }
  interrupt_after_ = -1;
  record::RecordWriter writer = Writer(/*resume=*/true);
  const Outcome outcome = Run(tables, options, writer);
  EXPECT_EQ(outcome.rounds, 3) << "as without the interruption";
  EXPECT_FALSE(outcome.over_budget);
  EXPECT_EQ(now_s_, 9);
}

TEST_F(RoundsTest, ARoundThatWasBegunIsCompleted) {
  const std::vector<Table> tables = {MakeTable("", {"a", "b"})};
  interrupt_after_ = 4;
  {
    record::RecordWriter writer = Writer();
    EXPECT_TRUE(Run(tables, {.budget_s = 10}, writer).interrupted);
  }
  interrupt_after_ = -1;
  record::RecordWriter writer = Writer(/*resume=*/true);
  const Outcome outcome = Run(tables, {.budget_s = 1}, writer);
  EXPECT_EQ(outcome.rounds, 2);
  EXPECT_TRUE(outcome.over_budget);
  EXPECT_EQ(writer.finished().size(), 6u);
}

TEST_F(RoundsTest, MoreThanTheMostRoundsAreNotRun) {
  record::RecordWriter writer = Writer();
  const Outcome outcome = Run({MakeTable("", {"a"})}, {.max_rounds = 4, .budget_s = 1e9}, writer);
  EXPECT_EQ(outcome.rounds, 4);
}

TEST_F(RoundsTest, OneRoundIsRunInAnyCase) {
  record::RecordWriter writer = Writer();
  const Outcome outcome = Run({MakeTable("", {"a", "b"})}, {.budget_s = 1}, writer);
  EXPECT_EQ(outcome.rounds, 1);
  EXPECT_TRUE(outcome.over_budget);
}

TEST_F(RoundsTest, AFailedVariantIsARowAndTheOthersGoOn) {
  fails_ = {"b"};
  record::RecordWriter writer = Writer();
  const Outcome outcome =
      Run({MakeTable("g", {"a", "b", "c"})}, {.repetitions = 3, .seed = 1}, writer);
  EXPECT_THAT(outcome.failed, ElementsAre("g: b"));
  EXPECT_EQ(writer.finished().size(), 1u + 3u * 3u);
  for (const RunRecord& run : writer.finished()) {
    EXPECT_EQ(run.status, run.variant == "b" ? RunStatus::kFailed : RunStatus::kOk);
    if (run.variant != "b") continue;
    EXPECT_EQ(run.message, "it broke");
    EXPECT_EQ(run.metrics.at("value"), 1) << "what was measured before is kept";
  }
}

TEST_F(RoundsTest, NothingLeftToMeasureIsTheEnd) {
  fails_ = {"a", "a (again)"};
  record::RecordWriter writer = Writer();
  EXPECT_EQ(Run({MakeTable("", {"a"})}, {.budget_s = 1e9}, writer).rounds, 1);
}

TEST_F(RoundsTest, ASkippedVariantHasOneRow) {
  Table table({.baseline = "a"});
  table.Add({.name = "a", .params = {}, .body = nullptr});
  table.Add({.name = "b", .params = {}, .body = nullptr, .skipped = "this CPU lacks it"});
  table.Complete();
  record::RecordWriter writer = Writer();
  const Outcome outcome = Run({table}, {.repetitions = 3}, writer);
  EXPECT_EQ(outcome.skipped, 1u);
  EXPECT_TRUE(outcome.failed.empty());
  const auto skipped =
      std::count_if(writer.finished().begin(), writer.finished().end(), [](const RunRecord& run) {
        return run.status == RunStatus::kSkipped && run.message == "this CPU lacks it";
      });
  EXPECT_EQ(skipped, 1);
  EXPECT_EQ(writer.finished().size(), 7u);
}

TEST_F(RoundsTest, AnInterruptKeepsWhatIsDoneAndResumeRepeatsNothing) {
  const std::vector<Table> tables = {MakeTable("", {"a", "b", "c"})};
  const RoundOptions options = {.repetitions = 3, .seed = 5};
  interrupt_after_ = 6;
  fails_ = {"b"};
  {
    record::RecordWriter writer = Writer();
    EXPECT_TRUE(Run(tables, options, writer).interrupted);
    EXPECT_EQ(writer.finished().size(), 6u);
  }
  record::RecordWriter writer = Writer(/*resume=*/true);
  EXPECT_EQ(writer.resumed(), 6u);
  interrupt_after_ = -1;
  const Outcome outcome = Run(tables, options, writer);
  EXPECT_FALSE(outcome.interrupted);
  EXPECT_THAT(outcome.failed, ElementsAre("b"));
  EXPECT_EQ(measured_, 10) << "b once, the others three times, none twice";
  EXPECT_EQ(writer.finished().size(), 10u);
}

}  // namespace
}  // namespace mlp::experiments
