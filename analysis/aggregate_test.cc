#include "analysis/aggregate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "analysis/testdata.h"
#include "analysis/value.h"
#include "mlp/record/testing.h"

namespace mlp::analysis {
namespace {

using record::Record;
using record::RunRecord;
using record::TestRun;
using testing::ElementsAre;

std::vector<std::string> Variants(const Table& table) {
  std::vector<std::string> names;
  for (const Row& row : table.rows) names.push_back(row.variant);
  return names;
}

TEST(AggregateTest, FillsInWhatTheRecordLeavesOut) {
  const std::vector<Table> tables = Aggregate(record::TestRecord());
  ASSERT_EQ(tables.size(), 1u);
  const record::View& view = tables[0].view;
  EXPECT_EQ(view.baseline, "slow");
  EXPECT_EQ(view.primary, "timings.samples_per_s");
  EXPECT_EQ(view.higher_is_better, true);
  EXPECT_THAT(view.columns, ElementsAre("metrics.test_accuracy"));
  ASSERT_EQ(view.plots.size(), 1u);
  EXPECT_EQ(view.plots[0].kind, "bars");
  EXPECT_FALSE(tables[0].smallest_effect);
}

TEST(AggregateTest, MediansBestAndSpeedUp) {
  const Table table = Aggregate(record::TestRecord())[0];
  const Row& fast = *table.Find("fast");
  EXPECT_EQ(fast.ok, 3u);
  EXPECT_EQ(fast.primary->value, 4001);
  EXPECT_EQ(fast.best, 4002);
  EXPECT_DOUBLE_EQ(fast.speedup->value, 4001.0 / 1001);
  EXPECT_DOUBLE_EQ(fast.columns[0]->mean, 0.901);
  EXPECT_EQ(table.Find("slow")->speedup->value, 1);
  EXPECT_EQ(table.Find("none"), nullptr);
}

TEST(AggregateTest, LowerIsBetterTurnsTheRatio) {
  Record record = record::TestRecord();
  for (RunRecord& run : record.runs) {
    run.timings = {{"step_s", {run.variant == "fast" ? 1.0 : 4.0}}};
  }
  const Table table = Aggregate(record)[0];
  EXPECT_EQ(table.view.primary, "timings.step_s");
  EXPECT_EQ(table.Find("fast")->speedup->value, 4);
  EXPECT_EQ(table.Find("fast")->best, 1);
}

TEST(AggregateTest, PairsByRepetitionAndSeed) {
  Record record = record::TestHead("x");
  record.runs = {TestRun("a", 0, 10), TestRun("b", 2, 60), TestRun("a", 1, 20), TestRun("b", 0, 30),
                 TestRun("a", 2, 30)};
  const Row b = *Aggregate(record)[0].Find("b");
  EXPECT_EQ(b.speedup->n, 2u);
  EXPECT_EQ(b.speedup->low, 2);
  EXPECT_EQ(b.speedup->high, 3);
  record.runs[1].seed = 77;
  EXPECT_EQ(Aggregate(record)[0].Find("b")->speedup->n, 1u);
}

TEST(AggregateTest, FailedRunsCountAndStay) {
  Record record = record::TestRecord();
  record.runs[1].status = record::RunStatus::kFailed;
  record.runs[1].message = "no memory";
  record.runs[3].metrics["test_accuracy"] = std::numeric_limits<double>::quiet_NaN();
  const Row fast = *Aggregate(record)[0].Find("fast");
  EXPECT_EQ(fast.ok, 2u);
  EXPECT_EQ(fast.failed, 1u);
  EXPECT_EQ(fast.message, "no memory");
  EXPECT_EQ(fast.primary->n, 2u);
  EXPECT_EQ(fast.columns[0]->n, 1u) << "a value that is not finite is none";
}

TEST(AggregateTest, RowsInTheViewsOrderThenAsTheyRan) {
  Record record = record::TestHead("x");
  for (const char* variant : {"d", "a", "c", "b"}) record.runs.push_back(TestRun(variant, 0, 1));
  record.presentation.all.variants = {"b", "a", "not run"};
  EXPECT_THAT(Variants(Aggregate(record)[0]), ElementsAre("b", "a", "d", "c"));
}

TEST(AggregateTest, GroupsInThePresentationsOrder) {
  const std::vector<Table> tables = Aggregate(ScalingRecord(2));
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].view.name, "kernel");
  EXPECT_EQ(tables[0].rows.size(), 8u);
  EXPECT_THAT(Variants(tables[1]), ElementsAre("materialized", "hogwild"));
  EXPECT_TRUE(Aggregate(record::TestHead("x")).empty());
}

TEST(AggregateTest, TheAAPairGivesTheSmallestEffect) {
  const Table table = Aggregate(SpeedRecord("digits", 8))[0];
  ASSERT_TRUE(table.smallest_effect);
  EXPECT_GT(*table.smallest_effect, 0);
  EXPECT_LT(*table.smallest_effect, 0.05);
  EXPECT_FALSE(Aggregate(SpeedRecord("digits", 3))[0].smallest_effect);
}

TEST(ValueTest, PathsNameValues) {
  RunRecord run = TestRun("a", 0, 5);
  run.timings["step_s"] = {3, 1, 2};
  run.timings["bad_s"] = {1, std::numeric_limits<double>::infinity()};
  run.timings["none_s"] = {};
  run.params["backend"] = "simd";
  EXPECT_EQ(ValueOf(run, "timings.samples_per_s"), 5);
  EXPECT_EQ(ValueOf(run, "timings.step_s"), 2);
  EXPECT_EQ(ValueOf(run, "metrics.test_accuracy"), 0.9);
  EXPECT_EQ(ValueOf(run, "params.threads"), 2);
  for (const char* path : {"timings.bad_s", "timings.none_s", "timings.x", "metrics.x", "params.x",
                           "params.backend", "x", ""}) {
    EXPECT_FALSE(ValueOf(run, path)) << path;
  }
  EXPECT_EQ(TextOf(run, "params.backend"), "simd");
  EXPECT_EQ(TextOf(run, "params.threads"), "2");
  EXPECT_EQ(TextOf(run, "params.x"), "");
}

TEST(ValueTest, NumbersCarryTheUnitOfTheirKey) {
  EXPECT_EQ(FormatValue("timings.samples_per_s", 540123), "540 k/s");
  EXPECT_EQ(FormatValue("timings.samples_per_s", 12), "12.0 /s");
  EXPECT_EQ(FormatValue("timings.step_s", 0.00021), "210 \u00b5s");
  EXPECT_EQ(FormatValue("timings.step_s", 2.5e-9), "2.50 ns");
  EXPECT_EQ(FormatValue("timings.epoch_s", 0), "0 s");
  EXPECT_EQ(FormatValue("metrics.peak_bytes", 1.5 * 1024 * 1024), "1.50 MiB");
  EXPECT_EQ(FormatValue("metrics.steal_pct", 0.5), "0.500 %");
  EXPECT_EQ(FormatValue("metrics.test_accuracy", 0.979), "97.90 %");
  EXPECT_EQ(FormatValue("metrics.train_loss", 0.12345), "0.123");
  EXPECT_EQ(FormatValue("params.threads", 8), "8");
}

TEST(ValueTest, DigitsRoundLikeByHand) {
  EXPECT_EQ(Digits(14.23, 3), "14.2");
  EXPECT_EQ(Digits(9.996, 3), "10.0");
  EXPECT_EQ(Digits(99.96, 3), "100");
  EXPECT_EQ(Digits(0.0995, 2), "0.10");
  EXPECT_EQ(Digits(123456, 3), "123456");
  EXPECT_EQ(Digits(1e-9, 3), "1.00e-09");
  EXPECT_EQ(Digits(-0.5, 2), "-0.50");
  EXPECT_EQ(Digits(0, 3), "0");
}

TEST(ValueTest, LabelsAndDirections) {
  EXPECT_EQ(Label("timings.samples_per_s"), "samples/s");
  EXPECT_EQ(Label("timings.step_s"), "step time");
  EXPECT_EQ(Label("timings.time_to_accuracy_s"), "time to accuracy");
  EXPECT_EQ(Label("curve.seconds"), "time");
  EXPECT_EQ(Label("metrics.peak_rss_bytes"), "peak rss");
  EXPECT_EQ(Label("metrics.rss_bytes"), "peak memory");
  EXPECT_EQ(Label("params.thread_bytes"), "bytes per thread");
  EXPECT_TRUE(HigherIsBetter("timings.samples_per_s"));
  EXPECT_TRUE(HigherIsBetter("metrics.test_accuracy"));
  EXPECT_FALSE(HigherIsBetter("timings.step_s"));
  EXPECT_FALSE(HigherIsBetter("metrics.test_loss"));
  EXPECT_FALSE(HigherIsBetter("metrics.peak_rss_bytes"));
  EXPECT_EQ(AxisOf("timings.samples_per_s", 2e6).label, "million samples/s");
  EXPECT_EQ(AxisOf("timings.step_s", 2e-4).label, "step time (\u00b5s)");
  EXPECT_EQ(AxisOf("timings.step_s", 2e-4).factor * 1e-4, 100);
}

}  // namespace
}  // namespace mlp::analysis
