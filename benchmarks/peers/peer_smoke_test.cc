// Runs the comparison for a moment with the contenders that $PEERS names, and checks what it says
// of them: they agree with ours, or what differs is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "mlp/io/subprocess.h"
#include "mlp/record/json.h"
#include "mlp/record/record.h"

namespace mlp::peers {
namespace {

using testing::HasSubstr;

constexpr char kCompare[] = "benchmarks/peers/compare";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

TEST(PeerSmoke, ItsRowIsAsExpected) {
  const std::string out = testing::TempDir() + "/results";
  const auto result = io::RunCommand({kCompare, "--smoke", "--json", "--quiet", "--threads=2",
                                      "--peers=" + Environment("PEERS"), "--out=" + out});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->exit_code, 0) << result->errors;
  const auto summary = record::ParseJson(result->output, "stdout");
  ASSERT_TRUE(summary.ok()) << summary.status();
  const auto record = record::ReadRecord((*summary)["record"].get<std::string>());
  ASSERT_TRUE(record.ok()) << record.status();

  const bool another_job = Environment("STRUCK_OUT") == "1";
  std::map<std::string, int> rows;
  for (const record::RunRecord& run : record->runs) {
    ++rows[run.variant];
    if (run.variant.starts_with("mlp") || !another_job) {
      EXPECT_EQ(run.status, record::RunStatus::kOk) << run.variant << ": " << run.message;
      EXPECT_GT(run.timings.at("epoch_s").at(0), 0) << run.variant;
      EXPECT_GT(run.timings.at("predict_s").at(0), 0) << run.variant;
      EXPECT_FALSE(run.resolved.empty()) << run.variant;
      EXPECT_EQ(run.params.at("ftz"), record::Scalar(true)) << run.variant;
    } else {
      EXPECT_EQ(run.status, record::RunStatus::kSkipped) << run.variant;
      EXPECT_THAT(run.message, HasSubstr("struck out")) << run.variant;
    }
  }
  for (const char* ours : {"mlp/dense", "mlp/dense (again)", "mlp", "mlp/layerwise"}) {
    EXPECT_EQ(rows[ours], 1) << ours;
  }
  if (Environment("PEERS") != "mlp") {
    EXPECT_GT(rows.size(), 4u);
  }
}

TEST(Compare, HelpHasThreeExamplesAndWrongFlagsAreErrors) {
  const auto help = io::RunCommand({kCompare, "--help"});
  ASSERT_TRUE(help.ok()) << help.status();
  EXPECT_EQ(help->exit_code, 0);
  size_t examples = 0;
  for (size_t at = 0;
       (at = help->output.find("bazel run //benchmarks/peers:compare", at)) != std::string::npos;
       ++at) {
    ++examples;
  }
  EXPECT_EQ(examples, 3u) << help->output;
  for (const char* flag :
       {"--peers=nobody", "--peer=nothing", "--peer=mlp=mlp", "--command=x", "--command=mlp=x",
        "--model=x", "--batch_sizes=0", "--rounds=0", "--batch_sizes=", "--batch_sizes=64,32,64",
        "--model=100-10", "--model=784-9", "--model=784-16-tanh-10"}) {
    const auto wrong = io::RunCommand({kCompare, "--smoke", "--quiet", flag});
    ASSERT_TRUE(wrong.ok()) << wrong.status();
    EXPECT_EQ(wrong->exit_code, 2) << flag;
    EXPECT_NE(wrong->errors, "") << flag;
  }
}

TEST(Compare, DataWithoutPixelsIsAWrongCommandLine) {
  const auto result = io::RunCommand({kCompare, "--smoke", "--data=circles"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 2);
  EXPECT_EQ(result->errors,
            "compare: circles: --data: expected digits, mnist, or a directory with four IDX files, "
            "found values that are no pixels; choose one of these\n");
}

TEST(Compare, WithoutATemporaryDirectoryItSaysSo) {
  const std::string nowhere = testing::TempDir() + "/nowhere";
  const auto result =
      io::RunCommand({"/usr/bin/env", "TMPDIR=" + nowhere, kCompare, "--smoke", "--quiet"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_EQ(result->errors, "compare: TMPDIR: expected a directory, found " + nowhere +
                                "; set it to one that is there\n");
}

TEST(Compare, AContenderThatDivergesIsNamed) {
  const auto result = io::RunCommand({kCompare, "--smoke", "--quiet", "--peers=mlp",
                                      "--learning_rate=1e30", "--out=" + testing::TempDir()});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_THAT(result->errors, HasSubstr("compare: mlp/dense: "));
  EXPECT_THAT(result->errors, HasSubstr("training diverged"));
}

}  // namespace
}  // namespace mlp::peers
