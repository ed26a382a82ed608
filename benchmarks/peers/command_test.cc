#include "benchmarks/peers/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp::peers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const InitRequest kJob = {.data = "/data",
                          .model = "4-3-2",
                          .batch_size = 128,
                          .threads = 2,
                          .seed = 7,
                          .learning_rate = 0.25,
                          .order = "/order",
                          .weights = "/weights"};

TEST(Command, WordsAreFilledIn) {
  EXPECT_THAT(FillIn({"env", "D={data}", "./x", "{batch}", "{threads}-{epochs}", "{seed}{model}",
                      "{learning_rate}", "{other}"},
                     kJob, 3),
              ElementsAre("env", "D=/data", "./x", "128", "2-3", "74-3-2", "0.25", "{other}"));
}

TEST(Command, TheMedianItPrintsIsTaken) {
  for (const char* output : {"x B=128 nt=2 med 137.5 best 135.0 ms GF/s 250 | fwd 3.1 ms\n",
                             "Median: 137.5\n", "median = 137.5 ms, fastest 12 ms",
                             "med 1\nmed 137.5\n", "epoch 1: 150 ms\n137.5ms\n12 ms"}) {
    const auto ms = EpochMs(output);
    ASSERT_TRUE(ms.ok()) << output;
    EXPECT_EQ(*ms, 137.5) << output;
  }
  for (const char* output : {"", "done", "epoch 3", "12 msec", "medal 3", "median 0", "med -4"}) {
    EXPECT_THAT(std::string(EpochMs(output).status().message()),
                HasSubstr("expected a time in what it printed"))
        << output;
  }
}

TEST(Command, EveryEpochIsAProcess) {
  CommandPeer peer({"sh", "-c", "echo $0 threads, $1 epochs, median $(($2 + 4)).5 ms", "{threads}",
                    "{epochs}", "{batch}"},
                   3);
  EXPECT_FALSE(peer.Answer({{"op", "epoch"}}).ok());  // before init
  const auto about = ParseInitAnswer(*peer.Answer(ToJson(kJob)));
  ASSERT_TRUE(about.ok()) << about.status();
  EXPECT_EQ(about->name, "sh");
  EXPECT_FALSE(about->uses.checked);
  EXPECT_EQ(about->uses.threads, 2);
  const auto epoch = ParseEpochAnswer(*peer.Answer({{"op", "epoch"}}));
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_EQ(epoch->ms, 132.5);
  EXPECT_EQ(epoch->loss, std::nullopt);
  EXPECT_GT(epoch->rss_bytes, 0u);
  EXPECT_TRUE(ParseEvaluateAnswer(*peer.Answer({{"op", "evaluate"}})).ok());
  EXPECT_EQ(ParsePredictAnswer(*peer.Answer({{"op", "predict"}}))->us, std::nullopt);
  EXPECT_FALSE(peer.Answer({{"op", "dance"}}).ok());
}

TEST(Command, WhatGoesWrongIsSaid) {
  const auto message = [](const std::string& script) {
    CommandPeer peer({"sh", "-c", script}, 1);
    EXPECT_TRUE(peer.Answer(ToJson(kJob)).ok());
    return std::string(peer.Answer({{"op", "epoch"}}).status().message());
  };
  EXPECT_THAT(message("echo no luck >&2; exit 3"), HasSubstr("exit code 3: no luck"));
  EXPECT_THAT(message("echo hello"), HasSubstr("found: hello"));
  CommandPeer missing({"/no/such"}, 1);
  EXPECT_TRUE(missing.Answer(ToJson(kJob)).ok());
  EXPECT_THAT(std::string(missing.Answer({{"op", "epoch"}}).status().message()),
              HasSubstr("/no/such"));
}

}  // namespace
}  // namespace mlp::peers
