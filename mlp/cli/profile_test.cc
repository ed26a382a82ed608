// `mlp train --profile`, end to end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "mlp/cli/cli_testing.h"
#include "mlp/cli/console.h"
#include "mlp/io/subprocess.h"

namespace mlp::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ProfileTest : public testing::Test {
 protected:
  std::string Flag(const std::string& flag, const std::string& name) const {
    return "--" + flag + "=" + mlp_.Path(name);
  }

  MlpRunner mlp_;
};

TEST_F(ProfileTest, TellsOfEveryOpInWordsAndInJson) {
  const io::CommandResult result =
      mlp_.Train({"--epochs=2", "--threads=2", "--strategy=fused", "--profile", "--json"});
  ASSERT_EQ(result.exit_code, kDone) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("profile: 14 steps of "));
  EXPECT_THAT(result.errors, HasSubstr("\nforward   product                    1 "));
  EXPECT_THAT(result.errors, HasSubstr(" % of fp32/"));
  EXPECT_THAT(result.errors, HasSubstr("\nrest "));

  const Json document = Json::parse(result.output, nullptr, false);
  ASSERT_TRUE(document.is_object());
  const Json& profile = document["profile"];
  EXPECT_EQ(profile["steps"], 14);
  EXPECT_EQ(profile["threads"], document["resolved"]["threads"]);
  EXPECT_TRUE(profile["trace"].is_null());
  EXPECT_GT(profile["peaks"]["memory"]["all_threads"], 0);
  std::set<std::string> ops;
  double seconds = 0;
  for (const Json& op : profile["ops"]) {
    ops.insert(op["op"].get<std::string>());
    seconds += op["seconds"].get<double>();
    EXPECT_GT(op["calls"], 0);
    if (op["op"] == "product") {
      EXPECT_GT(op["flop_per_s"], 0);
      EXPECT_GT(op["peak_pct"], 0);
    }
  }
  for (const char* op : {"gather", "product", "softmax cross-entropy", "update"}) {
    EXPECT_TRUE(ops.contains(op)) << op;
  }
  EXPECT_LE(seconds, profile["step_seconds"].get<double>());
}

TEST_F(ProfileTest, CountsTheThreadsThatTrain) {
  for (const std::string strategy : {"tiny", "per_sample"}) {
    const io::CommandResult result =
        mlp_.Train({"--epochs=1", "--threads=2", "--strategy=" + strategy, "--profile", "--json"});
    ASSERT_EQ(result.exit_code, kDone) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(" on 1 thread\n"));
    EXPECT_EQ(Json::parse(result.output)["profile"]["threads"], 1);
  }
}

TEST_F(ProfileTest, IsQuietWhereThatIsAskedFor) {
  const io::CommandResult result = mlp_.Train({"--epochs=1", "--profile", "--quiet", "--json"});
  EXPECT_EQ(result.exit_code, kDone);
  EXPECT_EQ(result.errors, "");
  EXPECT_THAT(result.output, HasSubstr("\"profile\""));
}

TEST_F(ProfileTest, WritesATraceOfSpansThatFollowEachOther) {
  for (const std::string strategy : {"tensor_parallel", "materialized", "hogwild"}) {
    const io::CommandResult result =
        mlp_.Train({"--epochs=2", "--threads=2", "--model=36-64-64-10", "--strategy=" + strategy,
                    Flag("profile_out", "trace.json")});
    ASSERT_EQ(result.exit_code, kDone) << result.errors;
    const Json trace = Json::parse(mlp_.Read("trace.json"), nullptr, false);
    ASSERT_TRUE(trace.is_object()) << strategy;
    std::map<int, double> ends;  // by thread
    size_t spans = 0;
    for (const Json& event : trace["traceEvents"]) {
      ASSERT_TRUE(event["ph"] == "X" || event["ph"] == "M") << event;
      if (event["ph"] == "M") continue;
      ++spans;
      double& end = ends[event["tid"].get<int>()];
      const double begin = event["ts"].get<double>();
      // Times in microseconds are rounded below a nanosecond.
      EXPECT_GE(begin, end - 1e-4) << strategy << ": " << event;
      EXPECT_GE(event["dur"].get<double>(), 0);
      end = begin + event["dur"].get<double>();
      EXPECT_NE(event["name"], "");
    }
    EXPECT_GT(spans, 14u * 5);
  }
  // Its own kind is replaced.
  EXPECT_THAT(mlp_.Files(), ElementsAre("trace.json"));
}

TEST_F(ProfileTest, ChangesNothingOfTheResult) {
  for (const std::string strategy : {"tensor_parallel", "fused"}) {
    EXPECT_EQ(mlp_.Train({"--epochs=3", "--strategy=" + strategy, Flag("out", "a.mlp")}).exit_code,
              kDone);
    EXPECT_EQ(mlp_.Train({"--epochs=3", "--strategy=" + strategy, Flag("out", "b.mlp"),
                          Flag("profile_out", "trace.json")})
                  .exit_code,
              kDone);
    EXPECT_EQ(mlp_.Read("a.mlp"), mlp_.Read("b.mlp"));
  }
}

TEST_F(ProfileTest, WithoutTheFlagThereIsNone) {
  const Json document = mlp_.RunJson(mlp_.TrainArguments({"--epochs=1", "--json"}));
  EXPECT_FALSE(document.contains("profile"));
}

TEST_F(ProfileTest, TheTracesPlaceIsCheckedBeforeTheWork) {
  std::ofstream(mlp_.Path("notes.txt")) << "precious";
  for (const std::string path : {"nowhere/trace.json", "data", "notes.txt"}) {
    const io::CommandResult result =
        mlp_.Train({"--epochs=1", Flag("out", "m.mlp"), Flag("profile_out", path)});
    EXPECT_EQ(result.exit_code, kFailed) << path;
    EXPECT_THAT(result.errors, HasSubstr(mlp_.Path(path)));
    EXPECT_THAT(result.output, IsEmpty());
    EXPECT_THAT(mlp_.Files(), ElementsAre("notes.txt"));
  }
  EXPECT_EQ(mlp_.Read("notes.txt"), "precious");
  EXPECT_EQ(mlp_.Train({"--epochs=1", "--force", Flag("profile_out", "notes.txt")}).exit_code,
            kDone);
  EXPECT_NE(mlp_.Read("notes.txt"), "precious");
}

TEST_F(ProfileTest, TheTraceIsNotTheModel) {
  const io::CommandResult result =
      mlp_.Train({"--epochs=1", Flag("out", "m"), Flag("profile_out", "m")});
  EXPECT_EQ(result.exit_code, kWrongUse);
  EXPECT_THAT(result.errors, HasSubstr("--profile_out"));
  EXPECT_THAT(mlp_.Files(), IsEmpty());
}

TEST_F(ProfileTest, OfNoStepsIsEmpty) {
  const io::CommandResult result = mlp_.Train({"--epochs=0", "--profile"});
  EXPECT_EQ(result.exit_code, kDone) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("profile: 0 steps"));
}

}  // namespace
}  // namespace mlp::cli
