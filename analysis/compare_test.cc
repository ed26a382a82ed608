#include "analysis/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "analysis/testdata.h"
#include "mlp/record/json.h"
#include "mlp/record/testing.h"

namespace mlp::analysis {
namespace {

using record::Record;
using testing::HasSubstr;

constexpr Thresholds kThresholds = {.ratio = 0.03, .points = 0.3};

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
  const auto comparisons = Compare(before, after, kThresholds);
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

// The same with a test accuracy to compare by, `points` lower.
std::vector<LoadedRecord> Accurate(double points, double spread = 0.001, int repetitions = 9) {
  auto records = At(0.974 - points / 100, spread, repetitions);
  Record& record = records[0].record;
  record.presentation.all.primary = "metrics.test_accuracy";
  for (auto& run : record.runs) {
    run.metrics["test_accuracy"] = run.timings.at("samples_per_s").front();
  }
  return records;
}

TEST(CompareTest, PercentagesAreComparedInPoints) {
  const Comparison lower = One(Accurate(0), Accurate(2.5));
  EXPECT_EQ(lower.verdict, Verdict::kSlower) << "as a ratio it is below the threshold";
  ASSERT_TRUE(lower.cost);
  EXPECT_NEAR(lower.cost->value, 0.025, 1e-9);
  EXPECT_EQ(One(Accurate(0), Accurate(0)).verdict, Verdict::kNoSlower);
  EXPECT_EQ(One(Accurate(0, 0), Accurate(0.25, 0)).verdict, Verdict::kNoSlower);
  EXPECT_EQ(One(Accurate(0, 0), Accurate(0.35, 0)).verdict, Verdict::kSlower);
  EXPECT_EQ(One(Accurate(2.5), Accurate(0)).verdict, Verdict::kNoSlower) << "better";
  EXPECT_EQ(One(Accurate(0, 0.01), Accurate(0.3, 0.01)).verdict, Verdict::kTooNoisy);
  EXPECT_EQ(One(Accurate(0, 0.001, 5), Accurate(2.5, 0.001, 5)).verdict, Verdict::kTooNoisy);
}

TEST(CompareTest, APercentageOfWhichLessIsBetterBecomesWorseUpwards) {
  auto low = Accurate(2.5), high = Accurate(0);
  for (auto* records : {&low, &high}) {
    (*records)[0].record.presentation.all.higher_is_better = false;
  }
  EXPECT_EQ(One(low, high).verdict, Verdict::kSlower);
  EXPECT_EQ(One(high, low).verdict, Verdict::kNoSlower);
}

TEST(CompareTest, WhatIsNoTimeIsCalledWorse) {
  const auto lower = Compare(Accurate(0, 0), Accurate(2.5, 0), kThresholds);
  const std::string markdown = ComparisonMarkdown(lower, kThresholds);
  EXPECT_THAT(markdown,
              HasSubstr("| test accuracy | 97.40 % | 94.90 % | 2.50 points (2.50 to 2.50) "
                        "| worse |"));
  EXPECT_THAT(markdown, HasSubstr("\nworse (cost"));
  const auto json = record::ParseJson(ComparisonJson(lower, kThresholds), "json");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ((*json)["verdict"], "worse");
  EXPECT_EQ((*json)["comparisons"][0]["cost_unit"], "points");
  EXPECT_NEAR((*json)["comparisons"][0]["cost"]["median"].get<double>(), 2.5, 1e-9);
  EXPECT_THAT(ComparisonMarkdown(Compare(Accurate(0), Accurate(0), kThresholds), kThresholds),
              HasSubstr("\nno worse (cost"));
}

TEST(CompareTest, WhatFailsNowIsWorse) {
  auto after = At(100, 0);
  for (auto& run : after[0].record.runs) run.status = record::RunStatus::kFailed;
  EXPECT_EQ(One(At(100, 0), after).verdict, Verdict::kSlower);
}

TEST(CompareTest, WhatFailsInMoreOfItsRunsIsWorse) {
  const auto failing = [](int failures) {
    auto records = At(100, 0, 14);
    for (int i = 0; i < failures; ++i) {
      records[0].record.runs[2 * i].status = record::RunStatus::kFailed;
    }
    return records;
  };
  const Comparison worse = One(failing(0), failing(6));
  EXPECT_EQ(worse.verdict, Verdict::kSlower) << "those that are left are as fast as before";
  const std::string markdown = ComparisonMarkdown({worse}, kThresholds);
  EXPECT_THAT(markdown, HasSubstr("| worse: 6 of 14 runs failed, before 0 of 14 |"));
  EXPECT_THAT(markdown, HasSubstr("\nworse (cost"));
  EXPECT_EQ(One(failing(2), failing(2)).verdict, Verdict::kNoSlower);
  EXPECT_EQ(One(failing(2), failing(3)).verdict, Verdict::kSlower);
  EXPECT_EQ(One(failing(6), failing(0)).verdict, Verdict::kNoSlower);
}

// At a rate, with a test accuracy that is `points` lower.
std::vector<LoadedRecord> Learned(double rate, double points, double spread = 0.001,
                                  int accuracies = 9) {
  auto records = At(rate, 0);
  for (auto& run : records[0].record.runs) {
    const double accuracy = 0.97 - points / 100 + spread * (run.repetition % 3 - 1);
    run.metrics = run.repetition < accuracies
                      ? std::map<std::string, double>{{"test_accuracy", accuracy}}
                      : std::map<std::string, double>{};
  }
  return records;
}

TEST(CompareTest, WhatIsLessAccurateIsWorse) {
  const Comparison worse = One(Learned(100, 0), Learned(200, 5));
  EXPECT_EQ(worse.verdict, Verdict::kSlower) << "though twice as fast";
  const std::string markdown = ComparisonMarkdown({worse}, kThresholds);
  EXPECT_THAT(markdown, HasSubstr("| less accurate by 5.00 points (4.90 to 5.10) |"));
  EXPECT_THAT(markdown, HasSubstr("\nworse (cost"));
  EXPECT_THAT(One(Learned(100, 0), Learned(50, 5)).reason,
              testing::StartsWith("slower, less accurate by 5.00 points"));
  EXPECT_EQ(One(Learned(100, 0), Learned(100, 0.25)).verdict, Verdict::kNoSlower)
      << "below the threshold";
  EXPECT_EQ(One(Learned(100, 5), Learned(100, 0)).verdict, Verdict::kNoSlower);
}

TEST(CompareTest, AccuraciesThatSayTooLittleLeaveItOpen) {
  const Comparison noisy = One(Learned(100, 0, 0.03), Learned(100, 1, 0.03));
  EXPECT_EQ(noisy.verdict, Verdict::kTooNoisy);
  EXPECT_THAT(noisy.reason,
              testing::MatchesRegex("accuracy lower by 1.00 points \\(.*\\): too noisy to say"));
  const Comparison few = One(Learned(100, 0), Learned(100, 5, 0.001, 3));
  EXPECT_EQ(few.verdict, Verdict::kTooNoisy);
  EXPECT_THAT(few.reason, HasSubstr("too few runs (3) for an interval"));
  // More rounds would help, a quieter machine would not.
  EXPECT_THAT(ComparisonMarkdown({One(At(100, 0, 5), At(200, 0, 5))}, kThresholds),
              HasSubstr("\ntoo few runs to say: an interval takes 6, as with --repetitions=6 "));
  EXPECT_THAT(ComparisonMarkdown({noisy}, kThresholds), HasSubstr("\ntoo noisy to say "));
  EXPECT_EQ(One(Learned(100, 0, 0.03), Learned(50, 1, 0.03)).verdict, Verdict::kSlower);
  auto other_work = Learned(100, 5);
  other_work[0].record.config["epochs"] = 2.0;
  EXPECT_EQ(One(Learned(100, 0), other_work).verdict, Verdict::kNoSlower);
}

TEST(CompareTest, AVariantOfOtherSettingsIsNotJudged) {
  auto after = At(50, 0);
  for (auto& run : after[0].record.runs) run.params["threads"] = 1.0;
  const Comparison other = One(At(100, 0), after);
  EXPECT_EQ(other.verdict, Verdict::kTooNoisy);
  EXPECT_EQ(other.reason, "other setting (threads 2, now 1)");
}

TEST(CompareTest, WhatIsNotRunNowCannotBeJudged) {
  EXPECT_EQ(One(At(100, 0), {}).verdict, Verdict::kTooNoisy);
  auto other_dataset = At(100, 0);
  other_dataset[0].record.config["dataset"] = "mnist";
  EXPECT_EQ(One(At(100, 0), other_dataset).verdict, Verdict::kTooNoisy);
  EXPECT_TRUE(Compare({}, At(100, 0), kThresholds).empty());
}

TEST(CompareTest, AccuraciesAfterOtherWorkCannotBeJudged) {
  const auto with_epochs = [](std::vector<LoadedRecord> records, double epochs) {
    records[0].record.config["epochs"] = epochs;
    return records;
  };
  const auto before = with_epochs(Accurate(0), 5);
  EXPECT_EQ(One(before, with_epochs(Accurate(2.5), 5)).verdict, Verdict::kSlower);
  EXPECT_EQ(One(before, Accurate(2.5)).verdict, Verdict::kSlower) << "it does not say";
  const Comparison other = One(before, with_epochs(Accurate(2.5), 2));
  EXPECT_EQ(other.verdict, Verdict::kTooNoisy);
  EXPECT_THAT(ComparisonMarkdown({other}, kThresholds), HasSubstr("other work (epochs 5, now 2)"));
  EXPECT_EQ(One(with_epochs(At(100, 0), 5), with_epochs(At(50, 0), 2)).verdict, Verdict::kSlower)
      << "a rate";
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
  const auto comparisons = Compare(At(100, 0), At(50, 0), kThresholds);
  const std::string markdown = ComparisonMarkdown(comparisons, kThresholds);
  EXPECT_THAT(markdown, HasSubstr("| x, digits on 0a1b2c3d | `v` | samples/s | 100 /s | 50.0 /s | "
                                  "2.00x (2.00 to 2.00) | slower |"));
  EXPECT_THAT(markdown,
              HasSubstr("\nslower (cost above 1, of percentages above 0 points, is worse; "
                        "threshold 3.0 %, of percentages 0.30 points)\n"));
  const auto json = record::ParseJson(ComparisonJson(comparisons, kThresholds), "json");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ((*json)["verdict"], "slower");
  EXPECT_EQ((*json)["comparisons"][0]["cost_unit"], "ratio");
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
