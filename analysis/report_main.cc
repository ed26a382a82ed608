// bazel run //analysis:report
#include <cstdio>
#include <string>

#include "analysis/load.h"
#include "analysis/report.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/paths.h"

namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "report: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string results;
  mlp::flags::Flags flags("report", "Turns records into tables, plots, REPORT.md and report.html.");
  flags.Group("Input and output");
  flags.String("results", &results,
               {.help = "directory with raw/; the report goes there, too [results/ of the sources]",
                .value_name = "DIR"});
  flags.Example("bazel run //analysis:report");
  flags.Example("bazel run //analysis:report -- --results=/tmp/results");
  flags.Example("bazel run //analysis:report -- --version");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;
  results =
      results.empty() ? mlp::flags::WorkspacePath("results") : mlp::flags::ResolvePath(results);

  mlp::analysis::Loaded loaded = mlp::analysis::LoadRecords({results});
  int exit_code = 0;
  for (const absl::Status& error : loaded.errors) exit_code = Fail(error);
  const auto files = mlp::analysis::MakeReport(std::move(loaded.records), results);
  if (!files.ok()) return Fail(files.status());
  const absl::Status written = mlp::analysis::WriteReport(results, *files);
  if (!written.ok()) return Fail(written);
  std::printf("%s/report.html\n%s/REPORT.md\n", results.c_str(), results.c_str());
  return exit_code;
}
