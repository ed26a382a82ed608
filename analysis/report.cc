#include "analysis/report.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
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

// What an earlier report wrote, a path below the results directory in each line.
constexpr char kManifest[] = "report.manifest";
constexpr size_t kMaxFileBytes = size_t{256} << 20;

std::string Lines(const std::set<std::string>& paths) {
  return absl::StrCat(absl::StrJoin(paths, "\n"), "\n");
}

// Paths that lead elsewhere are nobody's of ours. No manifest is an empty one.
absl::StatusOr<std::set<std::string>> ReadManifest(const std::string& path) {
  absl::StatusOr<std::string> text = io::ReadFile(path, kMaxFileBytes);
  if (absl::IsNotFound(text.status())) return std::set<std::string>();
  if (!text.ok()) return text.status();
  std::set<std::string> paths;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const fs::path normal = fs::path(std::string(line)).lexically_normal();
    if (normal.is_relative() && *normal.begin() != "..") paths.insert(normal.generic_string());
  }
  return paths;
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
         EscapeMarkdown(SetupName(record)),
         absl::StrCat(record.started_utc.substr(0, 10), ", ", Code(record.commit.substr(0, 7))),
         section.conclusion});
    for (auto& [path, contents] : section.files) {
      if (files.contains(path)) {
        return absl::AlreadyExistsError(
            absl::StrCat(path, ": expected one table or plot of this name, found another in ",
                         series.newest.path, "; give its dataset or group another name"));
      }
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
                    MarkdownTable({"Experiment", "Setup", "Date, commit", "What the numbers say"},
                                  "llll", summary),
                    "\n", sections, "## Machines\n\n", MachineTable(all));
  }
  MLP_ASSIGN_OR_RETURN(files["report.html"], HtmlPage(kTitle, markdown, svgs));
  files["REPORT.md"] = std::move(markdown);
  return files;
}

absl::Status WriteReport(const std::string& results_dir,
                         const std::map<std::string, std::string>& files, bool force) {
  const std::string manifest_path = absl::StrCat(results_dir, "/", kManifest);
  MLP_ASSIGN_OR_RETURN(const std::set<std::string> own, ReadManifest(manifest_path));
  for (const auto& [path, contents] : files) {
    const std::string target = absl::StrCat(results_dir, "/", path);
    std::error_code error;
    if (force || own.contains(path) || !fs::exists(target, error)) continue;
    const absl::StatusOr<std::string> found = io::ReadFile(target, kMaxFileBytes);
    if (found.ok() && *found == contents) continue;
    return absl::AlreadyExistsError(absl::StrCat(
        target, ": expected none, or one that an earlier report wrote (", kManifest,
        " lists them), found another; move it away, or give --force to write over it"));
  }
  for (const char* directory : {"tables", "plots"}) {
    MLP_RETURN_IF_ERROR(io::CreateDirectories(absl::StrCat(results_dir, "/", directory)));
  }
  // Before the files: whatever happens meanwhile, all that was written is known.
  std::set<std::string> all = own;
  for (const auto& [path, contents] : files) all.insert(path);
  MLP_RETURN_IF_ERROR(io::WriteFileAtomically(manifest_path, Lines(all)));
  for (const auto& [path, contents] : files) {
    MLP_RETURN_IF_ERROR(io::WriteFileAtomically(absl::StrCat(results_dir, "/", path), contents));
    all.erase(path);
  }
  for (const std::string& stale : all) {
    std::error_code error;
    const fs::path path = fs::path(results_dir) / stale;
    fs::remove(path, error);
    if (error) return io::ErrnoError("remove", path.string(), error.value());
  }
  std::set<std::string> written;
  for (const auto& [path, contents] : files) written.insert(path);
  return io::WriteFileAtomically(manifest_path, Lines(written));
}

}  // namespace mlp::analysis
