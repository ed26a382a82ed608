#include "benchmarks/peers/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace mlp::peers {
namespace {

using testing::HasSubstr;

const InitRequest kRequest = {.data = "/data",
                              .model = "4-3-2",
                              .batch_size = 128,
                              .threads = 2,
                              .seed = (uint64_t{1} << 62) + 1,
                              .learning_rate = 0.25,
                              .order = "/order",
                              .weights = "/weights"};

TEST(Protocol, InitSurvivesTheWay) {
  const auto request = ParseInitRequest(ToJson(kRequest));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(*request, kRequest);

  const InitAnswer answer = {"mine",
                             {{"mine", "1.0"}, {"blas", "2"}},
                             {.order = false,
                              .weights = false,
                              .threads = 3,
                              .ftz = false,
                              .precision = "bf16",
                              .optimizer = "sgd",
                              .loss = "mean_squared_error",
                              .checked = false,
                              .note = "slow"}};
  const auto parsed = ParseInitAnswer(ToJson(answer));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, answer);
}

TEST(Protocol, UsesNeedSayOnlyWhatDiffers) {
  const auto json = ParseAnswer(
      R"({"ok":true,"name":"a","versions":{},"uses":{"order":true,"weights":true,"threads":1,"ftz":true}})");
  ASSERT_TRUE(json.ok());
  const auto answer = ParseInitAnswer(*json);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->uses, Uses());
}

TEST(Protocol, WhatALibraryDoesNotTellIsNull) {
  const EpochAnswer answer = {.ms = 5, .loss = std::numeric_limits<double>::quiet_NaN()};
  const Json json = ToJson(answer);
  EXPECT_TRUE(json["loss"].is_null());
  const auto parsed = ParseEpochAnswer(json);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->loss, std::nullopt);
  EXPECT_EQ(parsed->accuracy, std::nullopt);
}

TEST(Protocol, ErrorsNameTheMember) {
  const auto error = [](Json json) {
    return std::string(ParseEpochAnswer(json).status().message());
  };
  Json json = ToJson(EpochAnswer{1, 0.5, 0.5, 1});
  json["ms"] = "fast";
  EXPECT_EQ(error(json), "\"ms\": expected a finite number, found \"fast\"");
  json["ms"] = 0;
  EXPECT_EQ(error(json), "\"ms\": expected a time above 0, found 0");
  json["ms"] = 1;
  json["rss_bytes"] = -1;
  EXPECT_EQ(error(json), "\"rss_bytes\": expected a whole number from 0, found -1");
  json.erase("loss");
  EXPECT_EQ(error(json), "\"loss\": expected a finite number or null, found nothing");

  json = ToJson(kRequest);
  json["threads"] = 1e99;
  EXPECT_THAT(std::string(ParseInitRequest(json).status().message()), HasSubstr("\"threads\""));
  json["threads"] = 0;
  EXPECT_THAT(std::string(ParseInitRequest(json).status().message()), HasSubstr("from 1"));
  EXPECT_FALSE(ParseCount({{"rows", 1.5}}, "rows").ok());
  EXPECT_EQ(*ParseCount({{"rows", 7}}, "rows"), 7u);
}

TEST(Protocol, Answers) {
  EXPECT_TRUE(ParseAnswer(R"({"ok":true})").ok());
  EXPECT_EQ(ParseAnswer(R"({"ok":false,"error":"no"})").status().message(), "no");
  for (const char* line : {"", "hello", "[1]", "3", R"({"ok":1})", R"({"ok":false})", "{}"}) {
    EXPECT_EQ(ParseAnswer(line).status().code(), absl::StatusCode::kInvalidArgument) << line;
  }
}

}  // namespace
}  // namespace mlp::peers
