#include "analysis/report.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "analysis/html.h"
#include "analysis/markdown.h"
#include "analysis/section.h"
#include "analysis/value.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/atomic_file.h"

namespace mlp::analysis {
namespace {

namespace fs = std::filesystem;

constexpr char kTitle[] = "MLP Lab: report";

std::string MachineTable(const std::vector<Series>& all) {
  std::map<std::string, const record::Machine*> machines;
  for (const Series& series : all) {
    machines[series.newest.record.machine.id] = &series.newest.record.machine;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [id, machine] : machines) {
    std::vector<std::string> caches;
    for (const auto& [name, bytes] : machine->caches) {
      caches.push_back(absl::StrCat(EscapeMarkdown(name.substr(0, name.find('_'))), " ",
                                    FormatValue(name, static_cast<double>(bytes))));
    }
    rows.push_back({Code(id), EscapeMarkdown(machine->cpu), absl::StrCat(machine->cores),
                    EscapeMarkdown(absl::StrJoin(machine->isa, ", ")), absl::StrJoin(caches, ", "),
                    FormatValue("memory_bytes", static_cast<double>(machine->memory_bytes)),
                    machine->gpu ? EscapeMarkdown(machine->gpu->name) : "none"});
  }
  return MarkdownTable({"Machine", "CPU", "Cores", "Instruction sets", "Caches", "Memory", "GPU"},
                       "llrllrl", rows);
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> MakeReport(std::vector<LoadedRecord> records,
                                                              const std::string& results_dir) {
  const size_t count = records.size();
  const std::vector<Series> all = NewestFirst(std::move(records));
  std::map<std::string, size_t> setups;  // Of each experiment.
  for (const Series& series : all) ++setups[series.newest.record.experiment];

  std::map<std::string, std::string> files;
  std::map<std::string, std::string> svgs;
  std::string sections;
  std::vector<std::vector<std::string>> summary;
  std::string experiment;
  for (const Series& series : all) {
    const record::Record& record = series.newest.record;
    const bool several = setups[record.experiment] > 1;
    MLP_ASSIGN_OR_RETURN(Section section,
                         MakeSection(series, several ? SetupName(record) : "", results_dir));
    if (record.experiment != experiment) {
      experiment = record.experiment;
      absl::StrAppend(&sections, "## ", EscapeMarkdown(experiment), "\n\n> ",
                      EscapeMarkdown(record.question), "\n\n");
    }
    absl::StrAppend(&sections, section.markdown);
    summary.push_back(
        {absl::StrCat("[", EscapeMarkdown(experiment), "](#", Anchor(experiment), ")"),
         EscapeMarkdown(SetupName(record)), section.conclusion});
    for (auto& [path, contents] : section.files) {
      if (fs::path(path).extension() == ".svg") svgs[path] = contents;
      files[path] = std::move(contents);
    }
  }

  std::string markdown = absl::StrCat("# ", EscapeMarkdown(kTitle), "\n\n");
  if (all.empty()) {
    absl::StrAppend(&markdown, "No records yet: experiments write them to `raw/`.\n");
  } else {
    absl::StrAppend(&markdown, "Made by `bazel run //analysis:report` from ", count,
                    count == 1 ? " record" : " records",
                    " in `raw/`; of each experiment, dataset and ",
                    "machine the newest one is shown. Do not edit.\n\n## Summary\n\n",
                    MarkdownTable({"Experiment", "Setup", "What the numbers say"}, "lll", summary),
                    "\n", sections, "## Machines\n\n", MachineTable(all));
  }
  MLP_ASSIGN_OR_RETURN(files["report.html"], HtmlPage(kTitle, markdown, svgs));
  files["REPORT.md"] = std::move(markdown);
  return files;
}

absl::Status WriteReport(const std::string& results_dir,
                         const std::map<std::string, std::string>& files) {
  for (const char* directory : {"tables", "plots"}) {
    MLP_RETURN_IF_ERROR(io::CreateDirectories(absl::StrCat(results_dir, "/", directory)));
  }
  for (const auto& [path, contents] : files) {
    MLP_RETURN_IF_ERROR(io::WriteFileAtomically(absl::StrCat(results_dir, "/", path), contents));
  }
  for (const char* directory : {"tables", "plots"}) {
    std::error_code error;
    std::vector<fs::path> stale;
    for (const auto& entry : fs::directory_iterator(fs::path(results_dir) / directory, error)) {
      const std::string extension = entry.path().extension().string();
      const std::string name = absl::StrCat(directory, "/", entry.path().filename().string());
      if ((extension == ".md" || extension == ".svg" || extension == ".png") &&
          !files.contains(name)) {
        stale.push_back(entry.path());
      }
    }
    for (const fs::path& path : stale) {
      if (!fs::remove(path, error)) return io::ErrnoError("remove", path.string(), error.value());
    }
  }
  return absl::OkStatus();
}

}  // namespace mlp::analysis
