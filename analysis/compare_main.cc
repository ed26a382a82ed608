// bazel run //analysis:compare -- OLD NEW
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "analysis/compare.h"
#include "analysis/load.h"
#include "analysis/settings.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/paths.h"
#include "mlp/flags/program.h"

namespace {

// Wrong use, as for the command line: 1 and 3 are verdicts.
constexpr int kCannotCompare = 2;

int Fail(absl::string_view message) {
  std::fprintf(stderr, "compare: %s\n", std::string(message).c_str());
  return kCannotCompare;
}

// False if something could not be read; it has been said then.
bool Load(const std::string& path, std::vector<mlp::analysis::LoadedRecord>* records) {
  mlp::analysis::Loaded loaded = mlp::analysis::LoadRecords({mlp::flags::ResolvePath(path)});
  for (const absl::Status& error : loaded.errors) Fail(error.message());
  *records = std::move(loaded.records);
  return loaded.errors.empty();
}

int Main(int argc, char** argv) {
  std::vector<std::string> paths;
  mlp::analysis::Thresholds thresholds;
  double threshold_pct = 100 * thresholds.ratio;
  bool json = false;
  mlp::flags::Flags flags(
      "compare",
      "Says whether variants became slower or worse.\n\n"
      "The newest records of each experiment, dataset and machine are compared: each variant's\n"
      "primary value, its test accuracy, and how many of its runs failed. The settings that both\n"
      "name in config have to be equal, but for epochs, rounds, seed, train_samples, tuning,\n"
      "turn_epochs and work; a variant whose params differ is not judged.\n\n"
      "Exit code: 0 no slower or worse, 1 slower or worse, 3 too noisy to say; 2 wrong use, a\n"
      "file that cannot be read, or records that cannot be compared.");
  flags.Positional(&paths, {.help = "a record, or a directory of them: first the old, then the new",
                            .value_name = "PATH",
                            .min = 2,
                            .max = 2});
  flags.Group("Decision");
  flags.Double(
      "threshold", &threshold_pct,
      {.help = "how much worse is still no slower", .unit = "PERCENT", .min = 0, .max = 1000});
  flags.Double("threshold_points", &thresholds.points,
               {.help = "of percentages, as accuracies: how much worse is still no worse",
                .unit = "POINTS",
                .min = 0,
                .max = 100});
  flags.Group("Output");
  flags.Bool("json", &json, "one JSON document on stdout instead of a table");
  flags.Example("bazel run //analysis:compare -- results /tmp/mlp-results");
  flags.Example("bazel run //analysis:compare -- --threshold=5 results /tmp/mlp-results");
  flags.Example("bazel run //analysis:compare -- --json results/raw/threads results");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;

  std::vector<mlp::analysis::LoadedRecord> before, after;
  const bool have_before = Load(paths[0], &before);
  const bool have_after = Load(paths[1], &after);
  if (!have_before || !have_after) return kCannotCompare;
  thresholds.ratio = threshold_pct / 100;
  const absl::Status comparable = mlp::analysis::CheckComparable(before, after);
  if (!comparable.ok()) return Fail(comparable.message());
  const auto comparisons = mlp::analysis::Compare(std::move(before), std::move(after), thresholds);
  if (comparisons.empty()) {
    return Fail(
        absl::StrCat(paths[0], ": expected finished runs, found none; name another record"));
  }
  if (std::ranges::none_of(comparisons, [](const mlp::analysis::Comparison& comparison) {
        return comparison.after || comparison.verdict == mlp::analysis::Verdict::kSlower;
      })) {
    return Fail(absl::StrCat(paths[1], ": expected finished runs of a variant of ", paths[0],
                             ", found none; name a record of the same variants"));
  }
  const std::string text = json ? mlp::analysis::ComparisonJson(comparisons, thresholds)
                                : mlp::analysis::ComparisonMarkdown(comparisons, thresholds);
  mlp::flags::PrintText(text);
  return mlp::analysis::ExitCode(mlp::analysis::Overall(comparisons));
}

}  // namespace

int main(int argc, char** argv) {
  return mlp::flags::RunMain(
      "compare", [&] { return Main(argc, argv); }, kCannotCompare);
}
