#include "analysis/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "analysis/testdata.h"
#include "mlp/io/atomic_file.h"

namespace mlp::analysis {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class ReportTest : public testing::Test {
 protected:
  void SetUp() override {
    results_ = (fs::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name())
                   .string();
    fs::remove_all(results_);
    fs::create_directories(results_);
  }

  std::map<std::string, std::string> Make(size_t expected_errors = 0) {
    Loaded loaded = LoadRecords({results_});
    EXPECT_EQ(loaded.errors.size(), expected_errors);
    auto files = MakeReport(std::move(loaded.records), results_);
    EXPECT_TRUE(files.ok()) << files.status();
    return *std::move(files);
  }

  std::string Text(const std::string& name) const {
    return io::ReadFile(results_ + "/" + name, 64 << 20).value_or("");
  }

  std::string results_;
};

TEST_F(ReportTest, ShowsEveryExperimentDatasetAndGroup) {
  Write(SpeedRecord("digits", 8), results_);
  Write(SpeedRecord("mnist", 8), results_);
  Write(ScalingRecord(8), results_);
  const auto files = Make();
  ASSERT_TRUE(WriteReport(results_, files).ok());
  const std::string& markdown = files.at("REPORT.md");
  EXPECT_THAT(markdown, HasSubstr("## speed\n\n> How much faster"));
  EXPECT_THAT(markdown, HasSubstr("### digits on 0a1b2c3d"));
  EXPECT_THAT(markdown, HasSubstr("### mnist on 0a1b2c3d"));
  EXPECT_THAT(markdown, HasSubstr("**Kernel alone**"));
  EXPECT_THAT(markdown, HasSubstr("**End to end**"));
  EXPECT_THAT(markdown, HasSubstr("| `scalar` (baseline) | 8 |"));
  EXPECT_THAT(markdown, HasSubstr("| `amx` | 0 | - | - | - | - | 8 skipped: this CPU has no "
                                  "amx\\_bf16 \\| \\<b\\> |"));
  EXPECT_THAT(markdown, HasSubstr("Note: asked for 8 threads, 2 are there"));
  EXPECT_THAT(markdown, HasSubstr("commit `0123456`"));

  const std::string& html = files.at("report.html");
  EXPECT_THAT(html, HasSubstr("<a href=\"#speed\">speed</a>"));
  EXPECT_THAT(html, HasSubstr("<a id=\"speed\"></a>"));
  EXPECT_THAT(html, HasSubstr("aria-label=\"Accuracy against throughput\""));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("src=\"http")));

  // Drawings hold what they should: names and values of variants.
  const std::string bars = Text("plots/speed-digits-0a1b2c3d-1-bars.svg");
  EXPECT_THAT(bars, HasSubstr("simd/avx512"));
  EXPECT_THAT(bars, HasSubstr("skipped"));
  EXPECT_THAT(bars, HasSubstr("Throughput of one training step"));
  EXPECT_THAT(Text("plots/speed-digits-0a1b2c3d-1-bars.png"), testing::StartsWith("\x89PNG"));
  EXPECT_THAT(Text("plots/scaling-digits-0a1b2c3d-kernel-1-lines.svg"), HasSubstr("eigen"));
  EXPECT_THAT(Text("plots/scaling-digits-0a1b2c3d-training-1-curves.svg"), HasSubstr("hogwild"));
  EXPECT_THAT(Text("tables/scaling-digits-0a1b2c3d-training.md"), HasSubstr("`hogwild`"));
}

TEST_F(ReportTest, TheSameRecordsGiveTheSameBytes) {
  Write(SpeedRecord("digits", 6), results_);
  Write(ScalingRecord(3), results_);
  const auto first = Make();
  ASSERT_TRUE(WriteReport(results_, first).ok());
  const auto second = Make();
  ASSERT_EQ(first.size(), second.size());
  for (const auto& [path, contents] : first) {
    EXPECT_TRUE(second.at(path) == contents) << path;
    EXPECT_TRUE(Text(path) == contents) << path;
  }
  EXPECT_GE(first.size(), 2u + 3u + 2u * 5u);
}

TEST_F(ReportTest, ANewerRecordReplacesAnOlderOne) {
  record::Record older = SpeedRecord("digits", 2);
  older.started_utc = "2026-01-30T12:00:00Z";
  older.question = "An older question?";
  Write(older, results_);
  Write(SpeedRecord("digits", 2), results_);
  const std::string markdown = Make().at("REPORT.md");
  EXPECT_THAT(markdown, HasSubstr("from 2 records"));
  EXPECT_THAT(markdown, Not(HasSubstr("An older question")));
  EXPECT_THAT(markdown,
              HasSubstr("Older records, not shown: [20260130T120000Z-0123456-0a1b2c3d](<raw/speed/"
                        "20260130T120000Z-0123456-0a1b2c3d.json>)"));
}

TEST_F(ReportTest, ABrokenRecordIsNamedAndTheOthersAreShown) {
  Write(SpeedRecord("digits", 2), results_);
  std::ofstream(results_ + "/raw/speed/broken.json") << "{\"schema_version\": 1,\n \"x\" ]";
  std::ofstream(results_ + "/raw/speed/wrong.json") << "{\"schema_version\": 1}";
  std::ofstream(results_ + "/raw/speed/left.partial.jsonl") << "{}";
  const Loaded loaded = LoadRecords({results_});
  ASSERT_EQ(loaded.errors.size(), 2u);
  EXPECT_THAT(std::string(loaded.errors[0].message()), HasSubstr("broken.json: line 2, byte "));
  EXPECT_THAT(std::string(loaded.errors[1].message()),
              HasSubstr("wrong.json: /: expected a member "));
  EXPECT_THAT(Make(2).at("REPORT.md"), HasSubstr("## speed"));
}

TEST_F(ReportTest, StaleTablesAndPlotsGo) {
  Write(SpeedRecord("digits", 2), results_);
  ASSERT_TRUE(WriteReport(results_, Make()).ok());
  const std::string digits = results_ + "/plots/speed-digits-0a1b2c3d-1-bars.svg";
  ASSERT_TRUE(fs::exists(digits));
  std::ofstream(results_ + "/plots/mine.svg") << "not ours";
  fs::remove_all(results_ + "/raw");
  Write(SpeedRecord("mnist", 2), results_);
  ASSERT_TRUE(WriteReport(results_, Make()).ok());
  EXPECT_FALSE(fs::exists(digits));
  EXPECT_FALSE(fs::exists(results_ + "/tables/speed-digits-0a1b2c3d.md"));
  EXPECT_TRUE(fs::exists(results_ + "/plots/mine.svg"));
  EXPECT_TRUE(fs::exists(results_ + "/plots/speed-mnist-0a1b2c3d-1-bars.svg"));
}

TEST_F(ReportTest, AFileThatNoReportWroteStays) {
  Write(SpeedRecord("digits", 2), results_);
  std::ofstream(results_ + "/REPORT.md") << "mine";
  const auto files = Make();
  const absl::Status status = WriteReport(results_, files);
  EXPECT_THAT(std::string(status.message()), HasSubstr("REPORT.md: expected none, or one that"));
  EXPECT_EQ(Text("REPORT.md"), "mine");
  EXPECT_FALSE(fs::exists(results_ + "/report.html"));
  ASSERT_TRUE(WriteReport(results_, files, /*force=*/true).ok());
  EXPECT_THAT(Text("REPORT.md"), HasSubstr("## speed"));
  EXPECT_TRUE(WriteReport(results_, files).ok());
}

TEST_F(ReportTest, AManifestNamesNothingOutside) {
  Write(SpeedRecord("digits", 2), results_);
  const std::string outside = results_ + "/../outside";
  std::ofstream(outside) << "not ours";
  std::ofstream(results_ + "/report.manifest") << "../outside\n" << outside << "\n";
  ASSERT_TRUE(WriteReport(results_, Make()).ok());
  EXPECT_TRUE(fs::exists(outside));
}

TEST_F(ReportTest, NamesThatDifferInSignsAloneHaveFilesOfTheirOwn) {
  Write(SpeedRecord("a/b", 2), results_);
  Write(SpeedRecord("a_b", 2), results_);
  size_t tables = 0;
  for (const auto& [path, contents] : Make()) tables += path.starts_with("tables/");
  EXPECT_EQ(tables, 2u);
}

TEST_F(ReportTest, TheSummaryHasTheHeadlineOfEveryTable) {
  Write(ScalingRecord(8), results_);
  const std::string markdown = Make().at("REPORT.md");
  const std::string summary = markdown.substr(0, markdown.find("## scaling"));
  EXPECT_THAT(summary, HasSubstr("| 2026-01-31, `0123456` | *Kernel alone*: "));
  EXPECT_THAT(summary, HasSubstr("*End to end*: "));
}

TEST_F(ReportTest, SaysWhatColumnsHoldAndWhatRan) {
  record::Record record = SpeedRecord("digits", 2);
  record.config["test_accuracy"] = "of the test part, after the last epoch";
  record.machine.load_average = 1.5;
  record.runs[0].resolved = {{"jax", "0.10.2"}};
  Write(record, results_);
  const std::string markdown = Make().at("REPORT.md");
  EXPECT_THAT(markdown, HasSubstr("- Definitions: *test accuracy*: of the test part, after"));
  EXPECT_THAT(markdown, HasSubstr("- Versions: jax 0.10.2\n"));
  EXPECT_THAT(markdown, HasSubstr("- Warning: at the start more than half of the cores had work"));
  EXPECT_THAT(markdown, Not(HasSubstr("test\\_accuracy of the test part")));
}

TEST_F(ReportTest, NoRecordsIsAReport) {
  const auto files = MakeReport({}, results_);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_THAT(files->at("REPORT.md"), HasSubstr("No records yet"));
}

TEST_F(ReportTest, TextOfARecordIsOnlyText) {
  record::Record record = SpeedRecord("digits", 2);
  record.question = "<script>alert(1)</script> [x](http://y) ![z](http://w) `id`";
  record.presentation.all.title = "it's `date` $(date) 'quoted' \"double\" @macro <svg>";
  Write(record, results_);
  const auto files = Make();
  EXPECT_THAT(files.at("report.html"), Not(HasSubstr("<script>")));
  EXPECT_THAT(files.at("report.html"), Not(HasSubstr("href=\"http://y\"")));
  EXPECT_THAT(files.at("report.html"), Not(HasSubstr("<img")));
  EXPECT_THAT(files.at("plots/speed-digits-0a1b2c3d-1-bars.svg"),
              HasSubstr("it's `date` $(date) 'quoted'"));
}

}  // namespace
}  // namespace mlp::analysis
