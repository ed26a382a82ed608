// What all peers read: data, order and initial weights, in files of a temporary directory.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "mlp/data/dataset.h"
#include "mlp/model/spec.h"

namespace mlp::peers {

class JobFiles {
 public:
  // Writes four IDX files that are not compressed, the order of `epochs` epochs (that of a Trainer
  // with this seed) and the weights that Model draws from the seed. Errors name the file.
  static absl::StatusOr<JobFiles> Write(const data::Dataset& dataset, const model::ModelSpec& spec,
                                        uint64_t seed, uint32_t epochs);
  // Removes the directory.
  ~JobFiles();
  JobFiles(JobFiles&& other) noexcept : directory_(std::move(other.directory_)) {
    other.directory_.clear();
  }
  JobFiles& operator=(JobFiles&&) = delete;

  const std::string& directory() const { return directory_; }
  std::string order() const { return directory_ + "/order.u32"; }
  std::string weights() const { return directory_ + "/weights.f32"; }

 private:
  explicit JobFiles(std::string directory) : directory_(std::move(directory)) {}

  std::string directory_;
};

}  // namespace mlp::peers
