#include "analysis/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(ConclusionTest, OtherValuesThanSpeedAreNotCalledFast) {
  Record record = record::TestRecord();
  record.presentation.all.primary = "metrics.peak_rss_bytes";
  for (record::RunRecord& run : record.runs) {
    run.metrics["peak_rss_bytes"] = run.variant == "fast" ? 2e6 : 1e6;
  }
  const std::string text = Conclusion(Aggregate(record)[0]);
  EXPECT_THAT(text, HasSubstr("`fast` has 2.00x \\[2.00 to 2.00\\] the peak rss of `slow`"));
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
