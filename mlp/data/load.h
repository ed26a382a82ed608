// From what a user says (--data, --data_dir) to a dataset in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "mlp/data/dataset.h"

namespace mlp::data {

struct Source {
  std::string data = "digits";  // digits, mnist, or a directory with the four IDX files
  std::string data_dir = "";    // where to look for mnist first
  // Of digits alone.
  uint64_t data_seed = 1;
  size_t digits_train = 60000;
  size_t digits_test = 10000;
};

// Labels are 0 .. 9. Errors name the file and the place: those of ReadExamples, LocateMnist and
// FindIdxFiles; InvalidArgument where the pictures of the two parts differ in shape.
absl::StatusOr<Dataset> Load(const Source& source);

}  // namespace mlp::data
