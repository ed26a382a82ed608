#include "mlp/record/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "mlp/record/json.h"
#include "mlp/record/keys.h"
#include "mlp/record/record.h"
#include "mlp/record/testing.h"

namespace mlp::record {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The violations of the test record after one change.
template <class Change>
std::vector<std::string> After(Change change) {
  Json json = ToJson(TestRecord());
  change(json);
  return Violations(json);
}

TEST(ValidateTest, TheTestRecordIsValid) {
  EXPECT_THAT(Violations(ToJson(TestRecord())), IsEmpty());
  EXPECT_TRUE(Validate(ToJson(TestRecord()), "x").ok());
}

TEST(ValidateTest, SaysPlaceExpectedAndFound) {
  EXPECT_THAT(
      After([](Json& json) { json["runs"][3]["seed"] = "x"; }),
      ElementsAre("/runs/3/seed: expected the run's seed (integer, at least 0), found \"x\""));
  EXPECT_THAT(
      After([](Json& json) { json["runs"][0]["seed"] = 1.5; }),
      ElementsAre("/runs/0/seed: expected the run's seed (integer, at least 0), found 1.5"));
  EXPECT_THAT(After([](Json& json) { json["runs"][0]["repetition"] = -1; }),
              ElementsAre("/runs/0/repetition: expected the repetition, from 0; equal ones of two "
                          "variants ran side by side (integer, at least 0), found -1"));
  EXPECT_THAT(After([](Json& json) { json["runs"][0]["status"] = "fine"; }),
              ElementsAre("/runs/0/status: expected how it ended (one of ok, failed, skipped), "
                          "found \"fine\""));
  EXPECT_THAT(After([](Json& json) { json["schema_version"] = 2; }),
              ElementsAre("/schema_version: expected 1, found 2"));
  EXPECT_THAT(After([](Json& json) { json["commit"] = "HEAD"; }),
              ElementsAre("/commit: expected a commit of 40 hexadecimal digits, or unknown "
                          "(string), found \"HEAD\""));
  EXPECT_THAT(After([](Json& json) { json["machine"].erase("cpu"); }),
              ElementsAre("/machine: expected a member 'cpu', found none"));
  EXPECT_THAT(After([](Json& json) { json["runs"][0]["sead"] = 1; }),
              ElementsAre("/runs/0: expected only members that the schema knows, found 'sead'"));
  EXPECT_THAT(
      After([](Json& json) { json = Json::array(); }),
      ElementsAre("/: expected the record of one run of an experiment (object), found a list"));
}

TEST(ValidateTest, OpenMapsHaveTypedValues) {
  EXPECT_THAT(After([](Json& json) { json["config"]["x"] = Json::array(); }),
              ElementsAre("/config/x: expected a number, a string, true or false (number or string "
                          "or boolean), found a list"));
  EXPECT_THAT(After([](Json& json) { json["runs"][0]["metrics"]["a/b"] = "x"; }),
              ElementsAre("/runs/0/metrics/a~1b: expected a number, or null (number or null), "
                          "found \"x\""));
  EXPECT_THAT(After([](Json& json) {
                json["runs"][0]["timings"]["step_s"] = {1, "x"};
              }),
              ElementsAre("/runs/0/timings/step_s/1: expected a number (number, at least 0), "
                          "found \"x\""));
  EXPECT_THAT(After([](Json& json) { json["runs"][0]["timings"]["step_s"] = -1; }),
              ElementsAre("/runs/0/timings/step_s: expected a number, or a list of numbers (number "
                          "or null or array, at least 0), found -1"));
  EXPECT_THAT(After([](Json& json) {
                json["runs"][0]["timings"]["step_s"] = {1, -0.5};
              }),
              ElementsAre("/runs/0/timings/step_s/1: expected a number (number, at least 0), found "
                          "-0.5"));
  EXPECT_THAT(After([](Json& json) { json["runs"][0]["resolved"]["gemm"] = 1; }),
              ElementsAre("/runs/0/resolved/gemm: expected the implementation that an op came to "
                          "(string), found 1"));
}

TEST(ValidateTest, NullAndReasonStandTogether) {
  EXPECT_THAT(After([](Json& json) { json["runs"][0]["metrics"]["loss"] = nullptr; }),
              ElementsAre("/runs/0/metrics/loss: expected loss_reason beside a null, found none"));
  EXPECT_THAT(After([](Json& json) { json["runs"][0]["metrics"]["loss_reason"] = "nan"; }),
              ElementsAre("/runs/0/metrics/loss_reason: expected a null in loss, found none"));
  EXPECT_THAT(After([](Json& json) {
                json["runs"][0]["timings"]["x_s"] = nullptr;
                json["runs"][0]["timings"]["x_s_reason"] = "slow";
              }),
              ElementsAre("/runs/0/timings/x_s_reason: expected why the number beside it is null "
                          "(one of nan, inf, -inf), found \"slow\""));
  EXPECT_THAT(After([](Json& json) {
                json["runs"][0]["curve"] = Json::parse(R"([{"epoch": 1, "loss": null}])");
              }),
              ElementsAre("/runs/0/curve/0/loss: expected loss_reason beside a null, found none"));
}

TEST(ValidateTest, ARepetitionStandsOnce) {
  EXPECT_THAT(After([](Json& json) { json["runs"].push_back(json["runs"][2]); }),
              ElementsAre("/runs/6: expected each repetition once, found repetition 1 of \"slow\" "
                          "again"));
}

TEST(ValidateTest, BoundsComeBeforePatterns) {
  EXPECT_THAT(After([](Json& json) { json["experiment"] = std::string(1 << 20, 'a'); }),
              ElementsAre("/experiment: expected at most 4096 bytes of text, found 1048576"));
  EXPECT_EQ(After([](Json& json) { json["config"][std::string(1 << 20, 'a')] = 1; }).size(), 1u);
  EXPECT_EQ(After([](Json& json) {
              Json deep;
              for (int i = 0; i < 30; ++i) deep = Json::array({deep});
              json["config"]["x"] = deep;
            }).size(),
            1u);
}

TEST(ValidateTest, ANewerVersionIsNotToBeMended) {
  Json json = ToJson(TestRecord());
  json["schema_version"] = 99;
  json["new_member"] = 1;
  EXPECT_EQ(Validate(json, "file.json").message(),
            "file.json: /schema_version: expected 1, found 99, of a newer version of this program; "
            "read it with that version");
}

TEST(ValidateTest, StatusCountsTheRest) {
  Json json = ToJson(TestRecord());
  json["dirty"] = 1;
  json["question"] = 1;
  const absl::Status status = Validate(json, "file.json");
  EXPECT_THAT(std::string(status.message()), testing::StartsWith("file.json: /"));
  EXPECT_THAT(std::string(status.message()),
              testing::EndsWith("(and 1 more); mend it there, or measure it anew"));
}

void CollectProperties(const nlohmann::json& schema, std::set<std::string>* names) {
  if (!schema.is_structured()) return;
  for (const auto& [key, value] : schema.items()) {
    if (key == "properties") {
      for (const auto& [name, unused] : value.items()) names->insert(name);
    }
    CollectProperties(value, names);
  }
}

TEST(SchemaTest, KnowsTheKeysOfKeysH) {
  std::set<std::string> in_schema;
  CollectProperties(nlohmann::json::parse(SchemaText()), &in_schema);
  std::set<std::string> in_keys;
#define MLP_RECORD_COLLECT_KEY(constant, key) in_keys.insert(keys::constant);
  MLP_RECORD_KEYS(MLP_RECORD_COLLECT_KEY)
#undef MLP_RECORD_COLLECT_KEY
  EXPECT_EQ(in_schema, in_keys);
}

}  // namespace
}  // namespace mlp::record
