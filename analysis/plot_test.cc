#include "analysis/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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

// The lowest base line of a text, which has to leave room for descenders.
double LowestText(const std::string& svg) {
  const std::regex text(R"re(translate\([\d.]+,([\d.]+)\)" stroke="none")re");
  double lowest = 0;
  for (std::sregex_iterator match(svg.begin(), svg.end(), text), end; match != end; ++match) {
    lowest = std::max(lowest, std::stod((*match)[1]));
  }
  return lowest;
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
          EXPECT_GT(LowestText(*svg), 0);
          EXPECT_LE(LowestText(*svg), drawing->height - 4) << kind;
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
  EXPECT_EQ(Draw(tables[1], {.kind = "curves"}, "Train loss over epoch")->title,
            "Train loss over epoch");
  EXPECT_EQ(Draw(tables[1], {.kind = "curves", .title = "own"}, "t")->title, "own");
}

TEST(PlotTest, EpochsHaveTics) {
  for (const auto& [last, has_whole] :
       {std::pair(0.5, false), std::pair(1.0, false), std::pair(2.0, true), std::pair(15.0, true),
        std::pair(100.0, false)}) {
    record::Record record = record::TestHead("curves");
    record::RunRecord& run = record.runs.emplace_back(record::TestRun("a", 0, 1));
    run.curve = {{{"epoch", last / 2}, {"train_loss", 1}}, {{"epoch", last}, {"train_loss", 0.5}}};
    const auto drawing = Draw(Aggregate(record)[0], {.kind = "curves"}, "t");
    ASSERT_TRUE(drawing);
    EXPECT_EQ(drawing->script.find("set xtics 1\n") != std::string::npos, has_whole) << last;
  }
}

TEST(PlotTest, TitlesSayErrorWhereErrorsAreDrawn) {
  record::Record record = record::TestHead("curves");
  record::RunRecord& run = record.runs.emplace_back(record::TestRun("a", 0, 1));
  run.curve = {{{"epoch", 1}, {"test_accuracy", 0.9}}, {{"epoch", 2}, {"test_accuracy", 0.95}}};
  const auto drawing =
      Draw(Aggregate(record)[0],
           {.kind = "curves", .title = "Test accuracy by epoch", .y = "curve.test_accuracy"}, "t");
  ASSERT_TRUE(drawing);
  EXPECT_EQ(drawing->title, "Test error by epoch");
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

// A variant a value of `series`, each at these x, with one number in each of `repetitions` runs.
record::Record SweepRecord(const std::vector<std::string>& series, const std::vector<double>& xs,
                           int repetitions) {
  record::Record record = record::TestHead("sweep");
  record.presentation.all.primary = "timings.samples_per_s";
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (size_t s = 0; s < series.size(); ++s) {
      for (const double x : xs) {
        record::RunRecord run =
            record::TestRun(absl::StrCat(series[s], ", ", x), repetition, 100.0 * (s + 1) * x);
        run.params = {{"threads", x}, {"series", series[s]}};
        run.metrics["test_accuracy"] = 1 - 0.1 / x;
        run.curve = {{{"epoch", 1}, {"test_accuracy", 0.5}, {"train_loss", 1}},
                     {{"epoch", 2}, {"test_accuracy", 0.5 + 0.0499 * x}, {"train_loss", 1 / x}}};
        record.runs.push_back(run);
      }
    }
  }
  return record;
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

TEST(PlotTest, TwoPointsAreALine) {
  const record::Plot plot = {.kind = "lines", .x = "params.threads"};
  EXPECT_FALSE(Draw(Aggregate(SweepRecord({"a"}, {1}, 3))[0], plot, "t"));
  const auto two = Draw(Aggregate(SweepRecord({"a"}, {1, 2}, 3))[0], plot, "t");
  ASSERT_TRUE(two);
  EXPECT_THAT(two->script, HasSubstr("dotted: in proportion to the threads"));
  EXPECT_THAT(two->script, HasSubstr("set xtics ('1' 1, '2' 2)"));
  EXPECT_TRUE(RenderSvg(*two, "x").ok());
}

TEST(PlotTest, NotesSpeakOfIntervalsWhereThereAreSome) {
  for (const auto& [runs, note] :
       {std::pair(1, "values of 1 run"), std::pair(5, "medians of 5 runs with their ranges"),
        std::pair(6, "medians of 6 runs with their intervals")}) {
    const Table sweep = Aggregate(SweepRecord({"a"}, {1, 2}, runs))[0];
    for (const char* kind : {"lines", "scatter"}) {
      const auto drawing = Draw(sweep, {.kind = kind}, "t");
      ASSERT_TRUE(drawing);
      EXPECT_THAT(drawing->note, testing::StartsWith(note)) << kind;
    }
    const auto roofline = Draw(Aggregate(RoofRecord(runs))[0], {.kind = "roofline"}, "t");
    ASSERT_TRUE(roofline);
    EXPECT_THAT(roofline->note, testing::StartsWith(note));
  }
}

TEST(PlotTest, OneDrawingOfAllTablesWithTheSameLines) {
  record::Record record = SweepRecord({"a", "b"}, {1, 2, 4}, 2);
  const record::Plot plot = {.kind = "lines", .x = "params.threads", .series = "params.series"};
  record.presentation.all.plots = {plot};
  for (record::RunRecord& run : record.runs) run.params["group"] = run.params["series"];
  const std::vector<Table> tables = Aggregate(record);
  ASSERT_EQ(tables.size(), 2u);
  const auto drawing = Draw(tables[1], plot, "t", "", tables);
  ASSERT_TRUE(drawing);
  EXPECT_THAT(drawing->script, HasSubstr("title 'a'"));
  EXPECT_THAT(drawing->script, HasSubstr("title 'b'"));
}

TEST(PlotTest, LinesSayWhereRunsAreMissing) {
  record::Record record = SweepRecord({"a"}, {1, 2, 4, 8}, 3);
  for (record::RunRecord& run : record.runs) {
    if (run.variant == "a, 8" || (run.variant == "a, 4" && run.repetition > 0)) run.timings.clear();
  }
  const auto drawing = Draw(Aggregate(record)[0], {.kind = "lines", .x = "params.threads"}, "t");
  ASSERT_TRUE(drawing);
  EXPECT_THAT(drawing->script, HasSubstr("'1 of 3'"));
  EXPECT_THAT(drawing->script, HasSubstr("'0 of 3'"));
}

TEST(PlotTest, AccuraciesAreDrawnAsErrors) {
  const Table table = Aggregate(SweepRecord({"a"}, {1, 10}, 3))[0];
  const auto drawing =
      Draw(table, {.kind = "curves", .y = "curve.test_accuracy", .mark = 0.95}, "t");
  ASSERT_TRUE(drawing);
  EXPECT_THAT(drawing->script, HasSubstr("test error (%)"));
  EXPECT_THAT(drawing->script, HasSubstr("set logscale y"));
  EXPECT_THAT(drawing->script, HasSubstr("'aim: 95.00 %'"));
  EXPECT_THAT(drawing->script, HasSubstr("median and, as a band, range of 3 runs"));
  EXPECT_TRUE(RenderSvg(*drawing, "x").ok());
}

TEST(PlotTest, ErrorsThatFallByFactorsHaveALogarithmicAxis) {
  const record::Plot plot = {.kind = "curves", .y = "curve.test_accuracy"};
  const auto far = Draw(Aggregate(SweepRecord({"a"}, {8}, 3))[0], plot, "t");
  const auto little = Draw(Aggregate(SweepRecord({"a"}, {1}, 3))[0], plot, "t");
  ASSERT_TRUE(far && little);
  EXPECT_THAT(far->script, HasSubstr("set logscale y"));  // 50 to 10 %.
  EXPECT_THAT(little->script, testing::Not(HasSubstr("set logscale y")));
}

TEST(PlotTest, CurvesWithTheSameColorDifferInDashes) {
  const Table table = Aggregate(SweepRecord({"a"}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 1))[0];
  const auto drawing = Draw(table, {.kind = "curves"}, "t");
  ASSERT_TRUE(drawing);
  const std::string color = absl::StrCat("linecolor rgb '", SeriesColor(0), "' dashtype ");
  EXPECT_THAT(drawing->script, HasSubstr(color + "1 title 'a, 1'"));
  EXPECT_THAT(drawing->script, HasSubstr(color + "2 title 'a, 11'"));
}

TEST(PlotTest, ASeriesOfCurvesIsOne) {
  const Table table = Aggregate(SweepRecord({"exact", "fast"}, {1, 2, 4}, 3))[0];
  const auto drawing = Draw(table, {.kind = "curves", .series = "params.series"}, "t");
  ASSERT_TRUE(drawing);
  EXPECT_THAT(drawing->script, HasSubstr("title 'exact'"));
  EXPECT_THAT(drawing->script, testing::Not(HasSubstr("$curve2")));
  EXPECT_THAT(drawing->script, HasSubstr("median and, as a band, range of 9 runs of all variants"));
}

TEST(PlotTest, ManyCurvesThatCoincideAreOne) {
  record::Record record = SweepRecord({"a", "b", "c"}, {1, 2, 4}, 1);
  const auto drawing = Draw(Aggregate(record)[0], {.kind = "curves"}, "t");
  ASSERT_TRUE(drawing);
  EXPECT_THAT(drawing->script, HasSubstr("title 'a, 1, b, 1 and 1 more'"));
  EXPECT_THAT(drawing->script, testing::Not(HasSubstr("$curve3")));
}

TEST(PlotTest, AVariantHasItsColorWhereOthersHaveNoValues) {
  record::Record record = SweepRecord({"a"}, {1, 2}, 1);
  for (auto& point : record.runs[1].curve) point["gradient"] = 3;
  const auto drawing = Draw(Aggregate(record)[0], {.kind = "curves", .y = "curve.gradient"}, "t");
  ASSERT_TRUE(drawing);
  EXPECT_THAT(drawing->script, HasSubstr(SeriesColor(1)));
  EXPECT_THAT(drawing->script, testing::Not(HasSubstr(SeriesColor(0))));
}

TEST(PlotTest, SpeedUpsOfOneRecordShareAScale) {
  record::Record record = SweepRecord({"a", "b"}, {1, 40}, 2);
  for (record::RunRecord& run : record.runs) {
    run.params["group"] = run.params["series"];
    if (run.variant == "a, 40") run.timings["samples_per_s"] = {200};
  }
  record.presentation.all.plots = {{.kind = "bars", .log_x = true}};
  const std::vector<Table> tables = Aggregate(record);
  const auto alone = Draw(tables[0], tables[0].view.plots[0], "t");
  const auto beside = Draw(tables[0], tables[0].view.plots[0], "t", "", tables);
  ASSERT_TRUE(alone && beside);
  EXPECT_THAT(alone->script, testing::Not(HasSubstr("set logscale x")));
  EXPECT_THAT(beside->script, HasSubstr("set logscale x"));
  // No length without a meaning: points, and a line at 1.
  EXPECT_THAT(beside->script, testing::Not(HasSubstr("boxxyerror")));
  EXPECT_THAT(beside->script, HasSubstr("set arrow from first 1, graph 0 to first 1, graph 1"));
}

TEST(PlotTest, LogarithmicAxesHaveThreeNumbers) {
  for (const auto& [low, high] : {std::pair(1.0, 1.3), std::pair(230.0, 610.0),
                                  std::pair(0.004, 7.0), std::pair(1e-8, 1e-5)}) {
    const std::string script = LogScale("x", low, high);
    EXPECT_GE(std::count(script.begin(), script.end(), ','), 2) << script;
  }
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
    // The legend has the points alone.
    EXPECT_THAT(drawing->script, testing::Not(testing::ContainsRegex("errorbars[^,]* title ")));
    // Two that lie on each other share a label.
    EXPECT_THAT(*svg, HasSubstr(">1, 2<"));
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
