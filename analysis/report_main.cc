// bazel run //analysis:report
#include <cstdio>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "analysis/inclusions.h"
#include "analysis/load.h"
#include "analysis/report.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/paths.h"
#include "mlp/flags/program.h"
#include "mlp/io/atomic_file.h"

namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "report: %s\n", std::string(status.message()).c_str());
  return 1;
}

// Puts the tables into the places that a hand-written page keeps for them.
absl::Status RenewPage(const std::string& path, const std::map<std::string, std::string>& files) {
  constexpr size_t kMaxPageBytes = 16 << 20;
  const absl::StatusOr<std::string> page = mlp::io::ReadFile(path, kMaxPageBytes);
  if (!page.ok()) return page.status();
  if (!absl::StrContains(*page, mlp::analysis::kInclusionBegin)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": expected a line `<!-- begin tables/NAME.md -->` where a table belongs, and "
                     "`<!-- end -->` after it, found none"));
  }
  const absl::StatusOr<std::string> renewed = mlp::analysis::RenewInclusions(*page, files);
  if (!renewed.ok()) {
    return absl::Status(renewed.status().code(),
                        absl::StrCat(path, ": ", renewed.status().message()));
  }
  if (*renewed == *page) return absl::OkStatus();
  return mlp::io::WriteFileAtomically(path, *renewed);
}

int Main(int argc, char** argv) {
  std::string results;
  std::string out;
  std::string page;
  bool force = false;
  mlp::flags::Flags flags("report", "Turns records into tables, plots, REPORT.md and report.html.");
  flags.Group("Input and output");
  flags.String("results", &results,
               {.help = "directory with raw/; the report goes there, too [results/ of the sources]",
                .value_name = "DIR"});
  flags.String(
      "out", &out,
      {.help = "the same directory, by the name that it has elsewhere", .value_name = "DIR"});
  flags.String("page", &page,
               {.help = "page whose `<!-- begin tables/... -->` places are filled anew",
                .value_name = "FILE"});
  flags.Bool("force", &force, "write over files of the report's names that no report wrote");
  flags.Example("bazel run //analysis:report");
  flags.Example("bazel run //analysis:report -- --page=README.md");
  flags.Example("bazel run //analysis:report -- --results=/tmp/mlp-smoke");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;
  for (std::string* path : {&results, &out}) {
    if (!path->empty()) *path = mlp::flags::ResolvePath(*path);
  }
  if (!results.empty() && !out.empty() && results != out) {
    std::fprintf(stderr,
                 "report: --results=%s, --out=%s: expected one directory, found two; give one of "
                 "the flags\n",
                 results.c_str(), out.c_str());
    return 2;
  }
  if (results.empty()) results = out.empty() ? mlp::flags::WorkspacePath("results") : out;

  mlp::analysis::Loaded loaded = mlp::analysis::LoadRecords({results});
  int exit_code = 0;
  for (const absl::Status& error : loaded.errors) exit_code = Fail(error);
  // Nothing to report, and so nothing to write over.
  if (loaded.records.empty()) return exit_code;
  const auto files = mlp::analysis::MakeReport(std::move(loaded.records), results);
  if (!files.ok()) return Fail(files.status());
  const absl::Status written = mlp::analysis::WriteReport(results, *files, force);
  if (!written.ok()) return Fail(written);
  if (!page.empty()) {
    const absl::Status renewed = RenewPage(mlp::flags::ResolvePath(page), *files);
    if (!renewed.ok()) return Fail(renewed);
  }
  std::printf("%s/report.html\n%s/REPORT.md\n", results.c_str(), results.c_str());
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  return mlp::flags::RunMain("report", [&] { return Main(argc, argv); });
}
