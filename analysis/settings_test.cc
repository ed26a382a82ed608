#include "analysis/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "mlp/record/testing.h"

namespace mlp::analysis {
namespace {

using record::Record;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// What CheckComparable says after a change of the new record; "" where it agrees.
template <class Change>
std::string After(Change change) {
  LoadedRecord before{.path = "old.json", .record = record::TestRecord()};
  before.record.config["batch_size"] = 64.0;
  LoadedRecord after = {.path = "new.json", .record = before.record};
  change(after.record);
  return std::string(CheckComparable({before}, {after}).message());
}

TEST(CheckComparableTest, NamesTheSettingThatDiffers) {
  EXPECT_EQ(After([](Record& record) { record.config["batch_size"] = 128.0; }),
            "new.json: config.batch_size: expected 64, as in old.json, found 128; measure one of "
            "them with the other's settings, or name records that agree");
  EXPECT_THAT(After([](Record& record) { record.config["shuffled"] = false; }),
              testing::StartsWith("new.json: config.shuffled: expected true, as in old.json, found "
                                  "false; "));
}

TEST(CheckComparableTest, AmountsOfWorkAndWhatVariesByItselfMayDiffer) {
  EXPECT_EQ(After([](Record& record) {
              record.config["epochs"] = 2.0;
              record.config["seed"] = 7.0;
              record.config["tuning"] = "avx2, 1 thread";
              record.config["work"] = 0.5;
              record.commit = "unknown";
              record.build.compiler = "clang";
            }),
            "");
  EXPECT_EQ(After([](Record& record) { record.config.erase("batch_size"); }), "")
      << "it does not say";
}

TEST(CheckComparableTest, DefinitionsAreNoSettings) {
  LoadedRecord before{.path = "old.json", .record = record::TestRecord()};
  before.record.config["test_accuracy"] = "of all test samples";
  LoadedRecord after = before;
  after.record.config["test_accuracy"] = "of every test sample";
  EXPECT_TRUE(CheckComparable({before}, {after}).ok());
  EXPECT_THAT(ConfigOf(before.record).definitions,
              ElementsAre(Pair("test_accuracy", "of all test samples")));
}

TEST(CheckComparableTest, NamesWhatMakesNoPair) {
  EXPECT_EQ(After([](Record& record) { record.experiment = "threads"; }),
            "new.json: experiment: expected speed, as in old.json, found threads; name records of "
            "the same experiment");
  EXPECT_EQ(After([](Record& record) { record.config["dataset"] = "mnist"; }),
            "new.json: config.dataset: expected digits, as in old.json, found mnist; name records "
            "of the same dataset, or measure with it");
  EXPECT_EQ(After([](Record& record) { record.machine.id = "46d4f9aa"; }),
            "new.json: machine.id: expected 0a1b2c3d, as in old.json, found 46d4f9aa; measure both "
            "on one machine");
}

TEST(CheckComparableTest, OnePairIsEnough) {
  LoadedRecord same{.path = "same.json", .record = record::TestRecord()};
  LoadedRecord other = same;
  other.record.experiment = "threads";
  EXPECT_TRUE(CheckComparable({same, other}, {same}).ok());
  EXPECT_TRUE(CheckComparable({same}, {}).ok()) << "nothing differs";
}

TEST(OtherSettingTest, WhatTheProgramChoosesMayDiffer) {
  const auto row = [](const std::string& key, record::Scalar value) {
    Row row;
    row.runs.push_back(record::TestRun("v", 0, 1));
    row.runs[0].params[key] = std::move(value);
    return row;
  };
  EXPECT_EQ(OtherSetting(row("batch_size", 64.0), row("batch_size", 32.0)),
            "batch_size 64, now 32");
  EXPECT_EQ(OtherSetting(row("skip_zeros", true), row("skip_zeros", false)), "");
  EXPECT_EQ(OtherSetting(row("l2", 0.5), row("math", "fast")), "") << "they do not say";
}

TEST(OtherWorkTest, MattersToWhatGrowsWithIt) {
  Record before = record::TestRecord(), after = before;
  after.config["epochs"] = 2.0;
  const std::string epochs = "epochs 5, now 2";
  EXPECT_EQ(OtherWork(before, after, "timings.samples_per_s"), "");
  EXPECT_EQ(OtherWork(before, after, "timings.step_s"), "");
  EXPECT_EQ(OtherWork(before, after, "timings.epoch_s"), "");
  EXPECT_EQ(OtherWork(before, after, "timings.seconds"), epochs);
  EXPECT_EQ(OtherWork(before, after, "metrics.time_to_accuracy_s"), epochs);
  EXPECT_EQ(OtherWork(before, after, "metrics.test_accuracy"), epochs);
}

TEST(OtherWorkTest, EpochsOfNoNumberOfSamplesTookAll) {
  Record before = record::TestRecord();
  before.config["dataset_train_samples"] = 1000.0;
  Record after = before;
  after.config["train_samples"] = 500.0;
  EXPECT_EQ(OtherWork(before, after, "timings.epoch_s"), "train_samples 1000, now 500");
  EXPECT_THAT(OtherWork(before, after, "timings.step_s"), IsEmpty());
  after.config["train_samples"] = 1000.0;
  EXPECT_THAT(OtherWork(before, after, "timings.epoch_s"), IsEmpty());
}

}  // namespace
}  // namespace mlp::analysis
