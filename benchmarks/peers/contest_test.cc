#include "benchmarks/peers/contest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "analysis/aggregate.h"
#include "benchmarks/peers/summary.h"
#include "experiments/harness/rounds.h"
#include "mlp/record/testing.h"
#include "mlp/record/writer.h"

namespace mlp::peers {
namespace {

using testing::HasSubstr;

constexpr int kRounds = 3;

Contender Fake(const std::string& how) {
  return {.name = how, .argv = {"benchmarks/peers/fake_peer", how}};
}

// A contest of "good", the baseline, against `others`, as compare runs it.
record::Record Compare(std::vector<Contender> others, double timeout_s = 60,
                       size_t turn_epochs = 1) {
  others.insert(others.begin(), {.name = "good", .argv = Fake("good").argv, .ours = true});
  Contest contest({.job = {.batch_size = 64, .threads = 2},
                   .rounds = kRounds,
                   .turn_epochs = turn_epochs,
                   .timeout_s = timeout_s},
                  others);
  const absl::Status prepared = contest.Prepare();
  EXPECT_TRUE(prepared.ok()) << prepared;
  record::Record head = record::TestHead("peers");
  head.presentation = {};
  head.presentation.groups = {MakeView(64, "good", others)};
  auto writer = record::RecordWriter::Open(testing::TempDir(), head);
  EXPECT_TRUE(writer.ok()) << writer.status();
  double now_s = 0;
  const experiments::RoundHooks hooks = {
      .clock_s = [&now_s] { return ++now_s; },
      .interrupted = [] { return false; },
      .measure = [&](const experiments::Variant& variant,
                     record::RunRecord& run) { return contest.Measure(variant.name, run); },
      .announce = [](int, size_t, size_t, const experiments::Variant&) {}};
  const auto outcome =
      experiments::RunRounds({contest.MakeTable()}, {.repetitions = kRounds}, hooks, *writer);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return writer->record();
}

analysis::Row RowOf(const record::Record& record, const std::string& variant) {
  const std::vector<analysis::Table> tables = analysis::Aggregate(record);
  EXPECT_EQ(tables.size(), 1u);
  const analysis::Row* row = tables.at(0).Find(variant);
  EXPECT_NE(row, nullptr) << variant;
  return row == nullptr ? analysis::Row() : *row;
}

TEST(Contest, TimesWhoAgrees) {
  const record::Record record = Compare({Fake("slow")});
  const analysis::Row row = RowOf(record, "slow");
  EXPECT_EQ(row.ok, size_t{kRounds});
  ASSERT_TRUE(row.speedup);
  EXPECT_DOUBLE_EQ(row.speedup->value, 0.1);
  EXPECT_EQ(RowOf(record, "good (again)").ok, size_t{kRounds});
  const record::RunRecord& run = row.runs[0];
  EXPECT_EQ(run.resolved.at("fake"), "1.0");
  EXPECT_DOUBLE_EQ(run.timings.at("epoch_s")[0], 0.1);
  EXPECT_DOUBLE_EQ(run.timings.at("predict_s")[0], 5e-6);
  EXPECT_EQ(run.metrics.at("epoch"), 2);  // One warms up, whatever trials there were.
  EXPECT_EQ(RowOf(record, "good").runs[0].metrics.at("epoch"), 2);
  const std::string text = SummaryText(record, {"good"});
  EXPECT_THAT(text, HasSubstr("[100.0]"));
  EXPECT_THAT(text, HasSubstr("10.00"));
}

TEST(Contest, TurnsHaveSeveralEpochsWhileTheseAreShort) {
  const Places places = {.directory = "benchmarks/peers", .python = "/no/python"};
  const auto probe = ParseCommand("probe=printf median:5", 15, places);
  ASSERT_TRUE(probe.ok()) << probe.status();
  const record::Record record = Compare({Fake("slow"), *probe}, 60, /*turn_epochs=*/15);
  EXPECT_EQ(RowOf(record, "good").runs[0].timings.at("epoch_s").size(), 15u);
  EXPECT_EQ(RowOf(record, "good").runs[2].metrics.at("epoch"), 1 + 3 * 15);
  // Of 0.1 s each.
  const size_t n = RowOf(record, "slow").runs[0].timings.at("epoch_s").size();
  EXPECT_TRUE(n == 10 || n == 11) << n;
  EXPECT_EQ(RowOf(record, "probe").runs[0].timings.at("epoch_s").size(), 1u);
}

TEST(Contest, ListsACommandsTimesAsNotChecked) {
  const Places places = {.directory = "benchmarks/peers", .python = "/no/python"};
  auto probe = ParseCommand("probe=printf median:%s5 {threads}", 3, places);
  ASSERT_TRUE(probe.ok()) << probe.status();
  auto failing = ParseCommand("failing=false", 3, places);
  const record::Record record = Compare({*probe, *failing, Fake("slow")});
  const analysis::Row row = RowOf(record, "probe");
  EXPECT_EQ(row.ok, size_t{kRounds}) << row.message;
  // One thread says 15 ms and is taken, as two say 25.
  EXPECT_DOUBLE_EQ(row.runs[0].timings.at("epoch_s")[0], 0.015);
  EXPECT_FALSE(row.runs[0].timings.contains("predict_s"));
  EXPECT_EQ(row.runs[0].params.at("checked"), record::Scalar(false));
  EXPECT_THAT(SummaryText(record, {"good"}), HasSubstr("result not checked\n"));
  EXPECT_EQ(RowOf(record, "failing").failed, 1u);
  EXPECT_THAT(RowOf(record, "failing").message, HasSubstr("false: ended with exit code 1"));
}

TEST(Contest, GivesAPeerOneThreadWhereThatIsClearlyFaster) {
  const record::Record record =
      Compare({Fake("alone"), Fake("slow"), Fake("unlucky"), Fake("close")});
  EXPECT_EQ(RowOf(record, "close").runs[0].params.at("threads"), record::Scalar(2.0));
  EXPECT_EQ(RowOf(record, "alone").runs[0].params.at("threads"), record::Scalar(1.0));
  EXPECT_DOUBLE_EQ(RowOf(record, "alone").primary->value, 0.01);
  EXPECT_EQ(RowOf(record, "slow").runs[0].params.at("threads"), record::Scalar(2.0));
  EXPECT_EQ(RowOf(record, "unlucky").runs[0].params.at("threads"), record::Scalar(2.0));
  EXPECT_EQ(RowOf(record, "good").runs[0].params.at("threads"), record::Scalar(2.0));
}

TEST(Contest, StrikesOutWhoDoesNotAgree) {
  const record::Record record = Compare({Fake("wrong"), Fake("sgd")});
  for (const char* name : {"wrong", "sgd"}) {
    const analysis::Row row = RowOf(record, name);
    EXPECT_EQ(row.ok, 0u) << name;
    EXPECT_EQ(row.skipped, 1u) << name;
    EXPECT_THAT(row.message, HasSubstr("struck out after epoch 1")) << name;
  }
  EXPECT_THAT(SummaryText(record, {"good"}), HasSubstr("train loss 2.0000, ours 1.0000"));
}

TEST(Contest, StrikesOutWhoDoesNotAgreeLater) {
  const record::Record record = Compare({Fake("wrong_later")});
  const analysis::Row row = RowOf(record, "wrong_later");
  EXPECT_EQ(row.ok, 0u);
  EXPECT_EQ(row.skipped, size_t{kRounds});
  EXPECT_THAT(row.message, HasSubstr("struck out after epoch 2"));
  EXPECT_FALSE(row.speedup);
}

TEST(Contest, GoesOnWithoutWhoFails) {
  const record::Record record = Compare({Fake("dies"),
                                         Fake("garbage"),
                                         Fake("no_ms"),
                                         {.name = "ghost", .argv = {"/no/such"}},
                                         Fake("slow")});
  for (const char* name : {"dies", "garbage", "no_ms", "ghost"}) {
    const analysis::Row row = RowOf(record, name);
    EXPECT_EQ(row.ok, 0u) << name;
    EXPECT_EQ(row.failed, 1u) << name;
  }
  EXPECT_THAT(RowOf(record, "dies").message, HasSubstr("out of luck"));
  EXPECT_THAT(RowOf(record, "no_ms").message, HasSubstr("answer to epoch: \"ms\": expected"));
  EXPECT_EQ(RowOf(record, "slow").ok, size_t{kRounds});
}

TEST(Contest, DoesNotWaitForever) {
  EXPECT_THAT(RowOf(Compare({Fake("hangs")}, /*timeout_s=*/1), "hangs").message,
              HasSubstr("no answer within 1 s"));
}

TEST(Contest, ListsWhoIsNotInstalled) {
  Contender missing = Fake("good");
  missing.name = "missing";
  missing.missing = "not installed: tools/setup --peers";
  const record::Record record = Compare({missing});
  EXPECT_EQ(RowOf(record, "missing").skipped, 1u);
  EXPECT_THAT(SummaryText(record, {"good"}), HasSubstr("tools/setup --peers"));
}

TEST(Contest, WithoutABaselineThereIsNone) {
  Contest contest({.rounds = 1}, {{.name = "good", .argv = Fake("dies").argv}});
  EXPECT_THAT(std::string(contest.Prepare().message()), HasSubstr("good: ended with exit code 3"));
}

TEST(Contenders, AreChosenByNameOrFamily) {
  const std::vector<Contender> all = {{.name = "mlp", .argv = {}, .ours = true},
                                      {.name = "torch/eager", .argv = {}},
                                      {.name = "torch/compile", .argv = {}},
                                      {.name = "eigen", .argv = {}}};
  const auto names = [&all](const std::vector<std::string>& chosen) {
    std::vector<std::string> names;
    const auto some = Choose(all, chosen);
    EXPECT_TRUE(some.ok()) << some.status();
    for (const Contender& contender : *some) names.push_back(contender.name);
    return names;
  };
  EXPECT_THAT(names({}), testing::SizeIs(4));
  EXPECT_THAT(names({"torch"}), testing::ElementsAre("mlp", "torch/eager", "torch/compile"));
  EXPECT_THAT(names({"eigen"}), testing::ElementsAre("mlp", "eigen"));
  EXPECT_THAT(names({"torch/eager"}), testing::ElementsAre("mlp", "torch/eager"));
  EXPECT_THAT(names({"mlp"}), testing::ElementsAre("mlp"));
  EXPECT_THAT(std::string(Choose(all, {"tor"}).status().message()),
              HasSubstr("expected some of mlp, torch/eager"));
}

TEST(Contenders, OfTheUser) {
  const Places places = {.directory = "benchmarks/peers", .python = "/no/python"};
  const auto fake = ParseContender("a=fake_peer slow  --x=1", places);
  ASSERT_TRUE(fake.ok());
  EXPECT_THAT(fake->argv, testing::ElementsAre("benchmarks/peers/fake_peer", "slow", "--x=1"));
  EXPECT_THAT(ParseContender("a=sh -c x", places)->argv, testing::ElementsAre("sh", "-c", "x"));
  for (const char* wrong : {"", "a", "=sh", "a=", "a= "}) {
    EXPECT_FALSE(ParseContender(wrong, places).ok()) << wrong;
  }
  for (const Contender& contender : BuiltIn(places)) {
    EXPECT_THAT(contender.missing, HasSubstr("not installed: ")) << contender.name;
  }
}

}  // namespace
}  // namespace mlp::peers
