// Runs an experiment for a moment and checks the record it writes. The environment's EXPERIMENT is
// its path.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "mlp/io/subprocess.h"
#include "mlp/record/json.h"
#include "mlp/record/record.h"

namespace mlp::experiments {
namespace {

std::string Binary() {
  const char* path = std::getenv("EXPERIMENT");
  return path == nullptr ? "" : std::string("./") + path;
}

TEST(Smoke, WritesARecordThatFitsTheSchema) {
  const std::string out = testing::TempDir() + "/results";
  const auto result =
      io::RunCommand({Binary(), "--smoke", "--json", "--quiet", "--threads=2", "--out=" + out});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->exit_code, 0) << result->errors;
  EXPECT_EQ(result->errors, "");
  const auto summary = record::ParseJson(result->output, "stdout");
  ASSERT_TRUE(summary.ok()) << summary.status();

  const auto record = record::ReadRecord((*summary)["record"].get<std::string>());
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->config.at("smoke"), record::Scalar(true));

  std::set<std::pair<std::string, std::string>> ran;
  for (const record::RunRecord& run : record->runs) {
    EXPECT_NE(run.status, record::RunStatus::kFailed) << run.variant << ": " << run.message;
    if (run.status == record::RunStatus::kSkipped) {
      EXPECT_NE(run.message, "") << run.variant;
      continue;
    }
    EXPECT_FALSE(run.timings.empty()) << run.variant;
    EXPECT_FALSE(run.resolved.empty()) << run.variant;
    ran.insert({run.Group(), run.variant});
  }
  std::vector<record::View> views = record->presentation.groups;
  if (views.empty()) views.push_back(record->presentation.all);
  for (const record::View& view : views) {
    EXPECT_TRUE(ran.contains({view.name, view.baseline})) << view.name << ": " << view.baseline;
    EXPECT_NE(view.primary, "") << view.name;
    if (!view.baseline_again.empty()) {
      EXPECT_TRUE(ran.contains({view.name, view.baseline_again})) << view.name;
    }
  }
}

TEST(Smoke, WithoutATemporaryDirectoryItSaysSo) {
  const std::string nowhere = testing::TempDir() + "/nowhere";
  const auto result = io::RunCommand(
      {"/usr/bin/env", "TMPDIR=" + nowhere, Binary(), "--smoke", "--quiet", "--threads=1"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_THAT(result->errors, testing::HasSubstr("TMPDIR: expected a directory, found " + nowhere));
}

TEST(Smoke, HelpHasThreeExamples) {
  const auto result = io::RunCommand({Binary(), "--help"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0);
  size_t examples = 0;
  for (size_t at = 0;
       (at = result->output.find("bazel run //experiments:", at)) != std::string::npos; ++at) {
    ++examples;
  }
  EXPECT_EQ(examples, 3u) << result->output;
}

TEST(Smoke, AWrongModelIsAWrongCommandLine) {
  const std::string out = testing::TempDir() + "/none";
  for (const std::string model : {"nonsense", "12345-10"}) {
    const auto result = io::RunCommand(
        {Binary(), "--model=" + model, "--smoke", "--quiet", "--threads=1", "--out=" + out});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->exit_code, 2) << result->errors;
    EXPECT_THAT(result->errors, testing::HasSubstr(model == "nonsense" ? model : "found 12345"));
    EXPECT_EQ(result->output, "");
  }
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace mlp::experiments
