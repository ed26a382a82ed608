#include "analysis/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "analysis/testdata.h"
#include "mlp/record/testing.h"

namespace mlp::analysis {
namespace {

using testing::HasSubstr;

TEST(PlotTest, NothingToDrawIsNoDrawing) {
  record::Record record = record::TestRecord();
  for (record::RunRecord& run : record.runs) run.status = record::RunStatus::kFailed;
  const Table table = Aggregate(record)[0];
  for (const char* kind : {"bars", "lines", "curves", "scatter", "roofline"}) {
    EXPECT_FALSE(Draw(table, {.kind = kind}, "t")) << kind;
  }
}

// Every kind with every axis draws in gnuplot, for one repetition and for many.
TEST(PlotTest, EveryKindRenders) {
  for (const int repetitions : {1, 7}) {
    for (const Table& table : Aggregate(ScalingRecord(repetitions))) {
      for (const char* kind : {"bars", "lines", "curves", "scatter", "roofline"}) {
        for (const bool log_axes : {false, true}) {
          const record::Plot plot = {.kind = kind, .log_x = log_axes, .log_y = log_axes};
          const auto drawing = Draw(table, plot, "A title");
          if (!drawing) continue;
          const auto svg = RenderSvg(*drawing, "x");
          ASSERT_TRUE(svg.ok()) << kind << " " << svg.status();
          EXPECT_THAT(*svg, HasSubstr("A title"));
        }
      }
    }
  }
}

TEST(PlotTest, DrawsWhatTheTableHas) {
  const std::vector<Table> tables = Aggregate(ScalingRecord(7));
  EXPECT_TRUE(Draw(tables[0], {.kind = "lines", .series = "params.backend"}, "t"));
  EXPECT_FALSE(Draw(tables[0], {.kind = "curves"}, "t")) << "kernels have no curves";
  EXPECT_TRUE(Draw(tables[1], {.kind = "curves"}, "t"));
  EXPECT_FALSE(Draw(tables[1], {.kind = "lines"}, "t")) << "no param varies";
  EXPECT_EQ(Draw(tables[1], {.kind = "curves"}, "t")->title, "t: train loss over epoch");
  EXPECT_EQ(Draw(tables[1], {.kind = "curves", .title = "own"}, "t")->title, "own");
}

TEST(PlotTest, ACurveBelowAnotherShowsOnBothSides) {
  record::Record record = record::TestHead("curves");
  for (const auto& [variant, loss] :
       {std::pair("below", 0.5), std::pair("apart", 0.25), std::pair("above", 0.5 + 1e-9)}) {
    record::RunRecord& run = record.runs.emplace_back(record::TestRun(variant, 0, 1));
    run.curve = {{{"epoch", 1}, {"train_loss", 2 * loss}}, {{"epoch", 2}, {"train_loss", loss}}};
  }
  const auto drawing = Draw(Aggregate(record)[0], {.kind = "curves"}, "t");
  ASSERT_TRUE(drawing);
  EXPECT_THAT(drawing->script, HasSubstr("$curve0 using 1:2 with linespoints linewidth 4.6 "));
  EXPECT_THAT(drawing->script, HasSubstr("$curve1 using 1:2 with linespoints linewidth 1.6 "));
  EXPECT_THAT(drawing->script, HasSubstr("$curve2 using 1:2 with linespoints linewidth 1.6 "));
}

// Two roofs, and kernels below them.
record::Record RoofRecord(int repetitions) {
  record::Record record = record::TestHead("roofs");
  record.presentation.all = {.baseline = "fp32", .primary = "timings.flop_per_s"};
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    const auto add = [&](const std::string& variant, const std::string& key,
                         const std::string& value, double flop, double bytes) {
      record::RunRecord run = record::TestRun(variant, repetition, 1);
      run.params = {{key, value}};
      run.timings = {};
      if (flop > 0) run.timings["flop_per_s"] = {flop * (1 + 0.01 * repetition)};
      if (bytes > 0) run.timings["bytes_per_s"] = {bytes};
      if (flop > 0 && bytes > 0) run.metrics["flop_per_byte"] = flop / bytes;
      record.runs.push_back(run);
    };
    add("fp32", "roof", "flop", 1e11, 0);
    add("L1 read", "roof", "bytes", 0, 2e11);
    add("product", "family", "gemm", 9e10, 4e9);
    add("gradient", "family", "gemm", 9.1e10, 4e9);
    add("it's <small>", "family", "update", 2e10, 5e10);
  }
  return record;
}

TEST(PlotTest, RooflinesNumberTheirPoints) {
  for (const int repetitions : {1, 7}) {
    const Table table = Aggregate(RoofRecord(repetitions))[0];
    const auto drawing = Draw(table, {.kind = "roofline"}, "t");
    ASSERT_TRUE(drawing);
    const auto svg = RenderSvg(*drawing, "x");
    ASSERT_TRUE(svg.ok()) << svg.status();
    EXPECT_THAT(*svg, HasSubstr("Gflop/s"));
    EXPECT_THAT(*svg, HasSubstr("L1 read: 200 GB/s"));
    // Two that lie on each other share a label.
    EXPECT_THAT(*svg, HasSubstr(">1 2<"));
    EXPECT_THAT(*svg, HasSubstr("it's &lt;small>"));
  }
}

TEST(PlotTest, ARooflineTakesARoofAndAPoint) {
  record::Record record = RoofRecord(1);
  std::erase_if(record.runs, [](const record::RunRecord& run) { return run.variant == "fp32"; });
  EXPECT_FALSE(Draw(Aggregate(record)[0], {.kind = "roofline"}, "t"));
  record = RoofRecord(1);
  std::erase_if(record.runs,
                [](const record::RunRecord& run) { return run.params.contains("family"); });
  EXPECT_FALSE(Draw(Aggregate(record)[0], {.kind = "roofline"}, "t"));
}

TEST(PlotTest, TextReachesNoShellAndNoMarkup) {
  EXPECT_EQ(Quoted("it's `id`\n"), "'it''s `id` '");
  const Drawing drawing{.script = "set label " + Quoted("`echo pwned` <b>") +
                                  " at graph 0.5, 0.5\nplot [0:1] x notitle\n"};
  const auto svg = RenderSvg(drawing, "x");
  ASSERT_TRUE(svg.ok()) << svg.status();
  EXPECT_TRUE(absl::StrContains(*svg, "`echo pwned` &lt;b>"));

  // Names reach the legend and the titles of lines, too.
  record::Record record = ScalingRecord(2);
  for (record::RunRecord& run : record.runs) run.variant = "</title><script>&" + run.variant;
  for (const Table& table : Aggregate(record)) {
    for (const char* kind : {"bars", "lines", "curves", "scatter", "roofline"}) {
      const auto any = Draw(table, {.kind = kind, .series = "params.backend"}, "<script>");
      if (!any) continue;
      EXPECT_FALSE(absl::StrContains(*RenderSvg(*any, "x"), "<script>")) << kind;
    }
  }
}

TEST(PlotTest, AScriptThatIsWrongIsAnError) {
  EXPECT_FALSE(RenderSvg({.script = "plot nonsense("}, "x").ok());
}

}  // namespace
}  // namespace mlp::analysis
