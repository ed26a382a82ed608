// The report: from all records of a results directory to Markdown, tables, plots and one page.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "analysis/load.h"

namespace mlp::analysis {

// Files by their path below the results directory: REPORT.md, report.html, tables/*.md,
// plots/*.svg and *.png. The same records give the same bytes. Links to records are relative to
// `results_dir`.
absl::StatusOr<std::map<std::string, std::string>> MakeReport(std::vector<LoadedRecord> records,
                                                              const std::string& results_dir);

// Writes them, and removes what earlier reports wrote and this one does not have: report.manifest
// lists that. A file of these names that no report wrote is an error unless `force`.
absl::Status WriteReport(const std::string& results_dir,
                         const std::map<std::string, std::string>& files, bool force = false);

}  // namespace mlp::analysis
