// Records from files, each one checked; a broken one does not keep the others from being read.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mlp/record/record.h"

namespace mlp::analysis {

struct LoadedRecord {
  std::string path;
  record::Record record;
};

struct Loaded {
  std::vector<LoadedRecord> records;  // By path.
  std::vector<absl::Status> errors;   // Each names file and place.
};

// The record files a path stands for: itself if it is a file; of a directory all *.json directly in
// it, in raw/*/ below it and, if it is raw/ itself, in the directories in it. Sorted.
std::vector<std::string> RecordFiles(const std::string& path);

// Reads every record file of every path. A path that has none is an error.
Loaded LoadRecords(const std::vector<std::string>& paths);

// The newest record of each (experiment, dataset, machine), in that order, with the older ones.
struct Series {
  LoadedRecord newest;
  std::vector<LoadedRecord> older;  // Newest first.
};
std::vector<Series> NewestFirst(std::vector<LoadedRecord> records);

// "digits on 0a1b2c3d"; the machine alone where there is no dataset.
std::string SetupName(const record::Record& record);

}  // namespace mlp::analysis
