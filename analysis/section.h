// One experiment's part of the report.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "analysis/load.h"

namespace mlp::analysis {

struct Section {
  std::string markdown;    // Tables, conclusions, plots, and where the numbers come from.
  std::string conclusion;  // The headline of each table.
  std::map<std::string, std::string> files;  // tables/..., plots/...
};

// `heading` stands above it ("" for none). Paths of records are shown relative to `results_dir`.
absl::StatusOr<Section> MakeSection(const Series& series, const std::string& heading,
                                    const std::string& results_dir);

}  // namespace mlp::analysis
