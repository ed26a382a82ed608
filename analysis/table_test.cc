#include "analysis/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/markdown.h"
#include "analysis/testdata.h"
#include "mlp/record/testing.h"

namespace mlp::analysis {
namespace {

using record::Record;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Variants with these rates against a baseline of 100, over repetitions that vary by `spread`.
Table TableWith(const std::vector<std::pair<std::string, double>>& variants, int repetitions,
                double spread = 0.001, double again = 0) {
  Record record = record::TestHead("x");
  record.presentation.all.baseline = "base";
  if (again > 0) record.presentation.all.baseline_again = "base (again)";
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    const auto add = [&](const std::string& variant, double rate, double sign) {
      const double off = sign * spread * (repetition % 3 - 1);
      record.runs.push_back(record::TestRun(variant, repetition, rate * (1 + off)));
    };
    add("base", 100, 0);
    if (again > 0) add("base (again)", again, 1);
    for (const auto& [variant, rate] : variants) add(variant, rate, 1);
  }
  return Aggregate(record)[0];
}

TEST(ConclusionTest, ClaimsWhatTheIntervalSupports) {
  EXPECT_EQ(Conclusion(TableWith({{"fast", 1420}}, 9, 0.001, 100)),
            "`fast` is 14.2x (14.2 to 14.2) as fast as `base`. Effects below 0.10 % are noise here "
            "(A/A).");
}

TEST(ConclusionTest, NamesTheBestAndTheWorst) {
  EXPECT_THAT(Conclusion(TableWith({{"slow", 50}, {"fast", 200}, {"faster", 300}}, 9)),
              StartsWith("`faster` is 3.00x (3.00 to 3.00) as fast as `base`; `slow` is 0.500x "
                         "(0.500 to 0.500) as fast as `base`. No A/A pair was run"));
}

TEST(ConclusionTest, ClaimsNothingAcrossOne) {
  EXPECT_THAT(Conclusion(TableWith({{"same", 100.5}}, 9, 0.05)),
              StartsWith("No variant is shown to differ from `base`: `same` is 1.00x (0.955 to "
                         "1.06) as fast as `base`."));
}

TEST(ConclusionTest, ClaimsNothingBelowTheNoise) {
  // 2 % faster beyond doubt, but the same thing run twice differs by 4 %.
  const Table table = TableWith({{"fast", 102}}, 9, 0.0001, 104);
  EXPECT_GT(table.Find("fast")->speedup->low, 1.01);
  EXPECT_THAT(Conclusion(table), StartsWith("No variant is shown to differ from `base`"));
  EXPECT_THAT(Conclusion(table), HasSubstr("Effects below 4.0 % are noise here (A/A)."));
}

TEST(ConclusionTest, ClaimsNothingFromFewRepetitions) {
  EXPECT_THAT(Conclusion(TableWith({{"fast", 200}}, 5)),
              StartsWith("Too few repetitions for a claim (an interval takes 6): by the median "
                         "alone, `fast` is 2.00x"));
}

TEST(ConclusionTest, SaysWhatIsMissing) {
  EXPECT_THAT(Conclusion(TableWith({}, 9)), StartsWith("Nothing to compare: only the baseline"));
  Table table = TableWith({{"fast", 200}}, 9);
  table.view.baseline = "gone";
  EXPECT_THAT(Conclusion(table), StartsWith("Nothing to compare with: the baseline `gone`"));
  EXPECT_THAT(Conclusion(Aggregate(SpeedRecord("digits", 8))[0]), HasSubstr("Skipped: `amx`."));
}

TEST(ConclusionTest, SaysWhyFinishedRunsAreNotCompared) {
  Record record = record::TestRecord();
  record.presentation.all.primary = "timings.none_s";
  EXPECT_THAT(Conclusion(Aggregate(record)[0]),
              StartsWith("Nothing to compare with: the baseline `slow` has no value "
                         "`timings.none_s`."));
  record.presentation.all.primary = "timings.samples_per_s";
  for (record::RunRecord& run : record.runs) {
    if (run.variant == "fast") run.params["checked"] = false;
  }
  EXPECT_THAT(Conclusion(Aggregate(record)[0]),
              StartsWith("Nothing to compare: no other variant has a checked samples/s above 0 in "
                         "a repetition that the baseline finished, too."));
  for (record::RunRecord& run : record.runs) run.timings["samples_per_s"] = {0};
  EXPECT_THAT(Conclusion(Aggregate(record)[0]),
              StartsWith("Nothing to compare: no samples/s is above 0."));
}

TEST(ConclusionTest, OtherValuesThanSpeedAreNotCalledFast) {
  Record record = record::TestRecord();
  record.presentation.all.primary = "metrics.peak_rss_bytes";
  for (record::RunRecord& run : record.runs) {
    run.metrics["peak_rss_bytes"] = run.variant == "fast" ? 2e6 : 1e6;
  }
  const std::string text = Conclusion(Aggregate(record)[0]);
  EXPECT_THAT(text, HasSubstr("`fast` has 2.00x \\[2.00 to 2.00\\] the peak rss of `slow`"));
}

TEST(ConclusionTest, NamesTheBestAndTheWorstOfFewRepetitionsToo) {
  EXPECT_THAT(
      Conclusion(TableWith({{"fast", 200}, {"slow", 50}, {"even", 100}}, 5)),
      HasSubstr("by the median alone, `fast` is 2.00x \\[2.00 to 2.00\\] as fast as `base`; "
                "`slow` is 0.500x"));
}

TEST(ConclusionTest, ClaimsNothingThatRoundsToNothing) {
  EXPECT_THAT(
      Conclusion(TableWith({{"fast", 100.4}}, 9, 0.0001, 100)),
      StartsWith("No variant is shown to differ from `base`: `fast` is 1.00x (1.00 to 1.00)"));
}

TEST(ConclusionTest, RunsThatRepeatExactlyHaveNoNoise) {
  const Table table = TableWith({{"fast", 200}}, 9, 0, 100);
  EXPECT_TRUE(table.repeats_exactly);
  EXPECT_THAT(Conclusion(table), HasSubstr("equal seeds agree to the last bit (A/A)"));
}

TEST(ConclusionTest, WarnsOfAnAAPairThatDiffers) {
  EXPECT_THAT(
      Conclusion(TableWith({{"fast", 200}}, 9, 0.0001, 104)),
      HasSubstr("Warning: run twice, the baseline is 1.04x (1.04 to 1.04) as good as itself"));
  EXPECT_THAT(Conclusion(TableWith({{"fast", 200}}, 9, 0.3, 100)),
              HasSubstr("Warning: so noisy a machine"));
}

TEST(ConclusionTest, LeavesOutWhatNobodyChecked) {
  Record record = record::TestHead("x");
  for (int repetition = 0; repetition < 9; ++repetition) {
    for (const auto& [variant, rate] :
         {std::pair("base", 100.0), std::pair("checked", 200.0), std::pair("boasting", 900.0)}) {
      record.runs.push_back(record::TestRun(variant, repetition, rate));
    }
    record.runs.back().params["checked"] = false;
  }
  const Table table = Aggregate(record)[0];
  EXPECT_THAT(Headline(table), StartsWith("`checked` is 2.00x"));
  EXPECT_THAT(Conclusion(table), HasSubstr("nobody has checked what came of them: `boasting`."));
  EXPECT_THAT(TableMarkdown(table), HasSubstr("| `boasting` (not checked) | 9 |"));
}

// Trainings over seeds: accuracies around these, losses that halve them.
Record SeedsRecord(const std::vector<std::pair<std::string, double>>& variants, int repetitions) {
  Record record = record::TestHead("x");
  record.presentation.all = {.baseline = "base",
                             .primary = "metrics.test_accuracy",
                             .columns = {"metrics.loss_deviation", "timings.time_to_accuracy_s"}};
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (const auto& [variant, accuracy] : variants) {
      record::RunRecord run = record::TestRun(variant, repetition, 1);
      run.metrics = {{"test_accuracy", accuracy + 0.001 * (repetition % 3)},
                     {"loss_deviation", std::pow(10, -repetition)}};
      run.timings = {};
      if (repetition > 0 || variant == "base") run.timings["time_to_accuracy_s"] = {2 * accuracy};
      record.runs.push_back(run);
    }
  }
  return record;
}

TEST(ConclusionTest, PercentagesDifferByPoints) {
  const Table table = Aggregate(SeedsRecord({{"base", 0.95}, {"good", 0.97}}, 9))[0];
  EXPECT_EQ(
      Headline(table),
      "The test accuracy of `good` is 2.00 points (2.00 to 2.00) higher than that of `base`.");
  EXPECT_THAT(TableMarkdown(table),
              HasSubstr("| `good` | 9 | 97.10 % (97.00 to 97.20) | 2.00 points"));
  EXPECT_THAT(TableMarkdown(table), Not(HasSubstr("| Best |"))) << "the luckiest seed";
}

TEST(ConclusionTest, ClaimsAnswerTheQuestion) {
  Record record = SeedsRecord({{"base", 0.95}, {"good", 0.97}, {"odd", 0.95}}, 9);
  const auto headline = [&record](const record::Claim& claim) {
    record.presentation.all.claims = {claim};
    return Headline(Aggregate(record)[0]);
  };
  EXPECT_EQ(headline({"best", "metrics.test_accuracy"}),
            "Best test accuracy: `good`, 97.10 % (97.00 to 97.20); worst: `odd`, 95.10 % (95.00 to "
            "95.20).");
  EXPECT_EQ(headline({"best", "timings.time_to_accuracy_s"}),
            "Best time to accuracy: `base`, 1.90 s (1.90 to 1.90); not in every run: `good` (8 of "
            "9), `odd` (8 of 9).");
  EXPECT_THAT(
      headline({"spread", "metrics.test_accuracy"}),
      StartsWith("Test accuracy: `base` 95.10 % on average, standard deviation 0.09 points, "
                 "95.00 to 95.20 % (9 seeds); `good`"));
  EXPECT_EQ(headline({"within", "metrics.loss_deviation", 0.5}),
            "Loss deviation: 0 of 3 variants stay at or below 0.500 in every run; the largest is 1 "
            "(`base` and 2 more).");
  EXPECT_THAT(headline({"within", "metrics.test_accuracy", 0.95}),
              StartsWith("Test accuracy: all 3 variants stay at or above 95.00 % in every run; the "
                         "lowest is 95.00 %"));
  EXPECT_EQ(
      headline({"reach", "metrics.test_accuracy", 0.96}),
      "Test accuracy: 1 of 3 reach 96.00 %; the highest is `good` (97.10 %), the lowest `odd` "
      "(95.10 %).");
  EXPECT_THAT(headline({"best", "metrics.none"}), StartsWith("The test accuracy of `good`"));
}

TEST(ConclusionTest, FewRepetitionsTellNobodyApart) {
  Record record = SeedsRecord({{"base", 0.95}, {"good", 0.97}}, 3);
  record.presentation.all.claims = {{"best", "metrics.test_accuracy"}};
  EXPECT_THAT(
      Headline(Aggregate(record)[0]),
      HasSubstr("worst: `base`, 95.10 % \\[95.00 to 95.20\\]; too few repetitions to tell"));
}

TEST(TableTest, SaysHowManyRunsComeToAValue) {
  const std::string text =
      TableMarkdown(Aggregate(SeedsRecord({{"base", 0.95}, {"good", 0.97}}, 9))[0]);
  EXPECT_THAT(text, HasSubstr("| 1.94 s, 8 of 9 |"));
  Record record = SeedsRecord({{"base", 0.95}, {"late", 0.97}}, 9);
  for (record::RunRecord& run : record.runs) {
    if (run.variant == "late") run.timings.clear();
  }
  EXPECT_THAT(TableMarkdown(Aggregate(record)[0]), HasSubstr("| 0 of 9 |"));
  // The median of what spans orders of magnitude.
  EXPECT_THAT(text, HasSubstr("| 0.000100 (1.00e-08 to 1.00) |"));
}

TEST(TableTest, OneTrainingEndsWithItsLastEpoch) {
  Record record = record::TestRecord();
  for (record::RunRecord& run : record.runs) run.metrics["epoch"] = 2 + run.repetition;
  const Table table = Aggregate(record)[0];
  EXPECT_TRUE(table.one_training);
  EXPECT_THAT(TableMarkdown(table), HasSubstr("| 90.20 % |"));
  EXPECT_THAT(TableMarkdown(table), HasSubstr("after the last round"));
}

TEST(TableTest, MarksWhoHasFewerThreads) {
  Record record = record::TestRecord();
  record.presentation.all.columns = {"params.threads"};
  record.presentation.all.baseline = "slow";
  for (record::RunRecord& run : record.runs) {
    if (run.variant == "fast") run.params["threads"] = 1.0;
  }
  EXPECT_THAT(TableMarkdown(Aggregate(record)[0]), HasSubstr("| `fast` (1 thread) | 3 |"));
}

TEST(TableTest, ASpreadHasTheDecimalsOfItsMean) {
  Record record = record::TestRecord();
  for (record::RunRecord& run : record.runs) {
    run.metrics = {{"train_loss", 24 + 1e-4 * run.repetition},
                   {"accuracy_difference_pct", 0.4 * (run.repetition - 1)}};
  }
  const std::string text = TableMarkdown(Aggregate(record)[0]);
  EXPECT_THAT(text, HasSubstr("| 24.0 |"));
  EXPECT_THAT(text, HasSubstr("| 0.000 \u00b1 0.400 points (-0.400 to 0.400) |"));
}

TEST(TableTest, ShowsEveryVariant) {
  const std::string text = TableMarkdown(Aggregate(SpeedRecord("digits", 8))[0]);
  EXPECT_THAT(text, StartsWith("| Variant | n | Samples/s | Best | Speed-up | Test accuracy | "
                               "Status |\n|:---|---:|---:|---:|---:|---:|:---|\n"
                               "| `scalar` (baseline) | 8 | "));
  EXPECT_THAT(text, HasSubstr("| `scalar (again)` (A/A) | 8 | "));
  EXPECT_THAT(text, HasSubstr("| `amx` | 0 | - | - | - | - | 8 skipped: this CPU"));
  EXPECT_THAT(text, HasSubstr("with 95 % bootstrap intervals"));
}

TEST(TableTest, OneRepetitionHasNeitherIntervalNorDeviation) {
  record::Record record = record::TestRecord();
  std::erase_if(record.runs, [](const record::RunRecord& run) { return run.repetition > 0; });
  record.presentation.all.claims = {{"spread", "metrics.test_accuracy"}};
  const Table table = Aggregate(record)[0];
  const std::string text = TableMarkdown(table);
  EXPECT_THAT(text, HasSubstr("*Medians of n repetitions; fewer than 6 give no 95 % interval;"));
  EXPECT_THAT(text, Not(HasSubstr("bootstrap")));
  EXPECT_THAT(text, Not(HasSubstr("brackets")));
  const std::string headline = Headline(table);
  EXPECT_THAT(headline, HasSubstr("% (1 seed: too few repetitions for a standard deviation)"));
  EXPECT_THAT(headline, Not(HasSubstr(" to ")));
}

TEST(TableTest, FewRepetitionsHaveARangeInBrackets) {
  const std::string text = TableMarkdown(Aggregate(record::TestRecord())[0]);
  EXPECT_THAT(text, HasSubstr("| `fast` | 3 | 4.00 k/s \\[4.00 to 4.00\\] | 4.00 k/s | 4.00x "
                              "\\[3.99 to 4.00\\] | 90.10 \u00b1 0.10 % (90.00 to 90.20) |"));
  EXPECT_THAT(text, HasSubstr("in brackets their range"));
  EXPECT_THAT(text, Not(HasSubstr("bootstrap")));
}

TEST(MarkdownTest, TextStaysText) {
  EXPECT_EQ(EscapeMarkdown("a|b <c> *d*\n[e](f) &g"), "a\\|b \\<c\\> \\*d\\* \\[e\\](f) \\&g");
  EXPECT_EQ(Code("a`b|c\n"), "`a'b\\|c `");
}

}  // namespace
}  // namespace mlp::analysis
