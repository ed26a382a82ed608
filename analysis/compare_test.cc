#include "analysis/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "analysis/testdata.h"
#include "mlp/record/json.h"
#include "mlp/record/testing.h"

namespace mlp::analysis {
namespace {

using record::Record;
using testing::HasSubstr;

constexpr double kThreshold = 0.03;

// One variant at this rate, its repetitions within +-spread.
std::vector<LoadedRecord> At(double rate, double spread, int repetitions = 9) {
  Record record = record::TestHead("x");
  record.id = "20260131T120000Z-0123456-0a1b2c3d";
  for (int i = 0; i < repetitions; ++i) {
    record.runs.push_back(record::TestRun("v", i, rate * (1 + spread * (i % 3 - 1))));
  }
  return {{.path = "x.json", .record = record}};
}

Comparison One(const std::vector<LoadedRecord>& before, const std::vector<LoadedRecord>& after) {
  const auto comparisons = Compare(before, after, kThreshold);
  EXPECT_EQ(comparisons.size(), 1u);
  return comparisons.at(0);
}

TEST(CompareTest, DecidesByTheWholeInterval) {
  EXPECT_EQ(One(At(100, 0.001), At(100, 0.001)).verdict, Verdict::kNoSlower);
  EXPECT_EQ(One(At(100, 0.001), At(150, 0.001)).verdict, Verdict::kNoSlower);
  EXPECT_EQ(One(At(100, 0.001), At(98, 0.001)).verdict, Verdict::kNoSlower);
  EXPECT_EQ(One(At(100, 0.001), At(90, 0.001)).verdict, Verdict::kSlower);
  EXPECT_EQ(One(At(100, 0.1), At(99, 0.1)).verdict, Verdict::kTooNoisy);
  EXPECT_EQ(One(At(100, 0.001, 5), At(50, 0.001, 5)).verdict, Verdict::kTooNoisy)
      << "too few repetitions to claim anything";
}

TEST(CompareTest, CostTurnsWithTheDirection) {
  EXPECT_NEAR(One(At(100, 0.001), At(50, 0.001)).cost->value, 2, 1e-9);
  auto before = At(100, 0.001);
  auto after = At(50, 0.001);
  for (auto* records : {&before, &after}) {
    for (auto& run : (*records)[0].record.runs) {
      run.timings = {{"step_s", run.timings["samples_per_s"]}};
    }
  }
  EXPECT_NEAR(One(before, after).cost->value, 0.5, 1e-9);
}

TEST(CompareTest, WhatFailsNowIsWorse) {
  auto after = At(100, 0);
  for (auto& run : after[0].record.runs) run.status = record::RunStatus::kFailed;
  EXPECT_EQ(One(At(100, 0), after).verdict, Verdict::kSlower);
}

TEST(CompareTest, WhatIsNotRunNowCannotBeJudged) {
  EXPECT_EQ(One(At(100, 0), {}).verdict, Verdict::kTooNoisy);
  auto other_dataset = At(100, 0);
  other_dataset[0].record.config["dataset"] = "mnist";
  EXPECT_EQ(One(At(100, 0), other_dataset).verdict, Verdict::kTooNoisy);
  EXPECT_TRUE(Compare({}, At(100, 0), kThreshold).empty());
}

TEST(CompareTest, OneSlowerDecides) {
  const auto with = [](std::vector<Verdict> verdicts) {
    std::vector<Comparison> comparisons;
    for (const Verdict verdict : verdicts) {
      comparisons.emplace_back();
      comparisons.back().verdict = verdict;
    }
    return ExitCode(Overall(comparisons));
  };
  EXPECT_EQ(with({Verdict::kNoSlower, Verdict::kNoSlower}), 0);
  EXPECT_EQ(with({Verdict::kTooNoisy, Verdict::kSlower, Verdict::kNoSlower}), 1);
  EXPECT_EQ(with({Verdict::kNoSlower, Verdict::kTooNoisy}), 3);
}

TEST(CompareTest, PrintsMarkdownAndJson) {
  const auto comparisons = Compare(At(100, 0), At(50, 0), kThreshold);
  const std::string markdown = ComparisonMarkdown(comparisons, kThreshold);
  EXPECT_THAT(markdown, HasSubstr("| x, digits on 0a1b2c3d | `v` | samples/s | 100 /s | 50.0 /s | "
                                  "2.00x (2.00 to 2.00) | slower |"));
  EXPECT_THAT(markdown, HasSubstr("\nslower (cost above 1 is worse; threshold 3.0 %)\n"));
  const auto json = record::ParseJson(ComparisonJson(comparisons, kThreshold), "json");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ((*json)["verdict"], "slower");
  EXPECT_EQ((*json)["comparisons"][0]["cost"]["median"], 2.0);
}

TEST(LoadTest, DirectoriesAndFiles) {
  namespace fs = std::filesystem;
  const std::string results = (fs::path(testing::TempDir()) / "load").string();
  fs::remove_all(results);
  const std::string file = Write(SpeedRecord("digits", 1), results);
  EXPECT_THAT(RecordFiles(file), testing::ElementsAre(file));
  EXPECT_EQ(RecordFiles(results).size(), 1u);
  EXPECT_EQ(RecordFiles(results + "/raw").size(), 1u);
  EXPECT_EQ(RecordFiles(results + "/raw/").size(), 1u);
  EXPECT_EQ(RecordFiles(results + "/raw/speed").size(), 1u);
  EXPECT_TRUE(RecordFiles(results + "/none/").size() == 1) << "reading it is what fails";
  const Loaded none = LoadRecords({testing::TempDir() + "/load/raw/speed/none"});
  ASSERT_EQ(none.errors.size(), 1u);
  EXPECT_THAT(std::string(none.errors[0].message()), HasSubstr("No such file"));
}

}  // namespace
}  // namespace mlp::analysis
