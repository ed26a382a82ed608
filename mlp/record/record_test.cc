#include "mlp/record/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mlp/record/json.h"
#include "mlp/record/keys.h"
#include "mlp/record/testing.h"

namespace mlp::record {
namespace {

using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// What comes back when a record goes to text and is read again.
Record Again(const Record& record) {
  const auto json = ParseJson(Dump(ToJson(record)), "test");
  EXPECT_TRUE(json.ok()) << json.status();
  auto read = RecordFromJson(*json, "test");
  EXPECT_TRUE(read.ok()) << read.status();
  return *std::move(read);
}

TEST(RecordTest, EverythingComesBack) {
  Record record = TestRecord();
  record.dirty = true;
  record.notes = {"asked for 8 threads, 2 are there"};
  record.machine.gpu = Gpu{.name = "G",
                           .compute_capability = "9.0",
                           .memory_bytes = 1,
                           .driver = "12.4",
                           .runtime = "12.4"};
  record.machine.governor = "performance";
  record.machine.steal_pct = 0.5;
  record.presentation.all = {
      .name = "",
      .title = "Speed",
      .variants = {"slow", "fast"},
      .baseline = "slow",
      .baseline_again = "slow (again)",
      .primary = "timings.samples_per_s",
      .higher_is_better = true,
      .columns = {"metrics.test_accuracy"},
      .plots = {{.kind = "lines",
                 .title = "T",
                 .x = "params.threads",
                 .y = "timings.samples_per_s",
                 .series = "params.backend",
                 .log_x = true,
                 .log_y = true,
                 .mark = 0.95}},
      .claims = {{"best", "timings.samples_per_s"}, {"within", "metrics.loss_deviation", 1e-5}}};
  record.presentation.groups = {{.name = "kernel",
                                 .title = "",
                                 .variants = {},
                                 .baseline = "b",
                                 .baseline_again = "",
                                 .primary = "",
                                 .higher_is_better = false,
                                 .columns = {},
                                 .plots = {},
                                 .claims = {{"spread", "metrics.test_accuracy"}}}};
  record.runs[0].status = RunStatus::kFailed;
  record.runs[0].message = "no memory";
  record.runs[0].params = {{"group", "kernel"}, {"fast", false}, {"rate", 1e-3}};
  record.runs[1].timings = {{"step_s", {0.5, 0.25}}, {"epoch_s", {2}}, {"none_s", {}}};
  record.runs[1].curve = {{{"epoch", 1}, {"train_loss", 0.5}}, {{"epoch", 2}}};

  const Record read = Again(record);
  EXPECT_EQ(Dump(ToJson(read)), Dump(ToJson(record)));
  EXPECT_EQ(read.machine, record.machine);
  EXPECT_EQ(read.build, record.build);
  EXPECT_EQ(read.config, record.config);
  EXPECT_EQ(read.presentation, record.presentation);
  EXPECT_EQ(read.runs[0].status, RunStatus::kFailed);
  EXPECT_EQ(read.runs[0].params, record.runs[0].params);
  EXPECT_EQ(read.runs[1].timings, record.runs[1].timings);
  EXPECT_EQ(read.runs[1].curve, record.runs[1].curve);
}

TEST(RecordTest, NumbersThatAreNotFiniteAreNullWithAReason) {
  Record record = TestRecord();
  RunRecord& run = record.runs[0];
  run.metrics = {{"a", kNaN}, {"b", kInfinity}, {"c", -kInfinity}, {"d", 1}};
  run.timings = {{"x_s", {kInfinity}}, {"y_s", {1, kNaN, 2}}};
  run.curve = {{{"epoch", 1}, {"train_loss", kNaN}}};
  EXPECT_EQ(
      Dump(ToJson(run)["metrics"]),
      R"({"a":null,"a_reason":"nan","b":null,"b_reason":"inf","c":null,"c_reason":"-inf","d":1})");

  const RunRecord read = Again(record).runs[0];
  EXPECT_TRUE(std::isnan(read.metrics.at("a")));
  EXPECT_EQ(read.metrics.at("b"), kInfinity);
  EXPECT_EQ(read.metrics.at("c"), -kInfinity);
  EXPECT_EQ(read.metrics.at("d"), 1);
  EXPECT_EQ(read.metrics.size(), 4u);
  EXPECT_EQ(read.timings.at("x_s"), std::vector<double>{kInfinity});
  ASSERT_EQ(read.timings.at("y_s").size(), 1u);
  EXPECT_TRUE(std::isnan(read.timings.at("y_s")[0]));
  EXPECT_TRUE(std::isnan(read.curve[0].at("train_loss")));
}

TEST(RecordTest, NumbersKeepEveryBit) {
  Record record = TestRecord();
  record.runs[0].metrics = {{"a", 0.1}, {"b", 1e-300}, {"c", 0x1p60}, {"d", -1.0 / 3}, {"e", 64}};
  EXPECT_EQ(Again(record).runs[0].metrics, record.runs[0].metrics);
  EXPECT_THAT(Dump(ToJson(record)), HasSubstr("\"e\":64}"));
}

TEST(RecordTest, TextThatIsNotUtf8IsReplaced) {
  Record record = TestRecord();
  record.runs[0].message = "bad \xff byte";
  EXPECT_EQ(Again(record).runs[0].message, "bad \xEF\xBF\xBD byte");
}

TEST(RecordTest, GroupIsAParam) {
  RunRecord run = TestRun("a", 0, 1);
  EXPECT_EQ(run.Group(), "");
  run.params["group"] = "kernel";
  EXPECT_EQ(run.Group(), "kernel");
  run.params["group"] = 3.0;
  EXPECT_EQ(run.Group(), "");
}

TEST(PresentationTest, AGroupTakesWhatItLeavesOutFromAll) {
  Presentation presentation;
  presentation.all.baseline = "a";
  presentation.all.primary = "timings.step_s";
  presentation.all.higher_is_better = false;
  presentation.groups.resize(1);
  presentation.groups[0].name = "kernel";
  presentation.groups[0].baseline = "b";
  EXPECT_EQ(presentation.ForGroup("kernel").baseline, "b");
  EXPECT_EQ(presentation.ForGroup("kernel").primary, "timings.step_s");
  EXPECT_EQ(presentation.ForGroup("kernel").higher_is_better, false);
  EXPECT_EQ(presentation.ForGroup("other").baseline, "a");
  EXPECT_EQ(presentation.ForGroup("other").name, "other");
}

TEST(RecordTest, IdsStandInTheOrderOfTime) {
  const std::string id = "20260131T120000Z-0123456-0a1b2c3d";
  EXPECT_TRUE(IsOlder(id, id + "-2"));
  EXPECT_TRUE(IsOlder(id + ".json", id + "-2.json"));
  EXPECT_TRUE(IsOlder(id + "-2", id + "-10"));
  EXPECT_TRUE(IsOlder(id + "-10", "20260131T120001Z-0123456-0a1b2c3d"));
  EXPECT_FALSE(IsOlder(id, id));
}

TEST(ScalarTest, AsText) {
  EXPECT_EQ(ToText(64.0), "64");
  EXPECT_EQ(ToText(0.5), "0.5");
  EXPECT_EQ(ToText(true), "true");
  EXPECT_EQ(ToText(std::string("a b")), "a b");
  EXPECT_EQ(TestHead("x").ConfigText("epochs"), "5");
  EXPECT_EQ(TestHead("x").ConfigText("none"), "");
}

TEST(ParseJsonTest, ErrorsNameLineAndByte) {
  const auto json = ParseJson("{\n \"a\": 1,\n \"b\": }", "some/file.json");
  EXPECT_THAT(std::string(json.status().message()),
              HasSubstr("some/file.json: line 3, byte 18: expected JSON, found "));
  EXPECT_EQ(ParseJson("[1,", "x").status().message(),
            "x: line 1, byte 3: expected JSON, found syntax error while parsing value - unexpected "
            "end of input; expected '[', '{', or a literal; mend it there, or write it anew")
      << "the place once";
  EXPECT_FALSE(ParseJson("", "x").ok());
  EXPECT_FALSE(ParseJson("{} x", "x").ok());
  EXPECT_FALSE(ParseJson("1e999", "x").ok());
  EXPECT_FALSE(ParseJson(std::string(100000, '['), "x").ok());
}

}  // namespace
}  // namespace mlp::record
