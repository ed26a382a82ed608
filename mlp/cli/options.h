// Flags that several subcommands share, and what they come to.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mlp/data/dataset.h"
#include "mlp/flags/flags.h"
#include "mlp/model/model_file.h"
#include "mlp/train/evaluate.h"

namespace mlp::cli {

struct DataOptions {
  std::string data = "digits";
  std::string data_dir = "";
};
void AddDataFlags(flags::Flags& flags, DataOptions* options, const std::string& help);

// The dataset's name is what the user called it, wherever relative paths lead.
absl::StatusOr<data::Dataset> LoadData(const DataOptions& options);

struct ComputeOptions {
  int threads = 0;
  std::string backend = "auto";
  std::string isa = "auto";
  std::string math = "fast";
  std::string device = "cpu";
};
void AddComputeFlags(flags::Flags& flags, ComputeOptions* options);

// What it runs on. InvalidArgument lists what may be asked for.
absl::StatusOr<train::EvaluateOptions> Resolve(const ComputeOptions& options);

struct OutputOptions {
  bool json = false;
  bool quiet = false;
  std::string progress = "auto";
};
void AddOutputFlags(flags::Flags& flags, OutputOptions* options, bool with_progress);

// Tells of threads that were asked for and are not there.
void NoteThreads(const ComputeOptions& compute, int threads, const OutputOptions& output);

// The model in the file that --in names. InvalidArgument: there is no --in.
absl::Status CheckIn(const std::string& in);

// The data in front of a model: --data where it was given, else what the model was trained on,
// from where it was then.
DataOptions DataFor(const flags::Flags& flags, DataOptions options, const model::ModelInfo& info);

// InvalidArgument where pictures of that shape do not fit the model in the file `in`.
absl::Status CheckShape(const std::string& in, const model::SavedModel& saved,
                        const std::string& data, size_t rows, size_t cols);

}  // namespace mlp::cli
