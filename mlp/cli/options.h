// Flags that several subcommands share, and what they come to.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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

// The dataset's name is what the user called it, wherever relative paths lead. pack_below and
// pack_test_below: see data::Source.
absl::StatusOr<data::Dataset> LoadData(const DataOptions& options, double pack_below = 0,
                                       double pack_test_below = 0);

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

// The flags of commands that put a model to use.
struct ModelFlags {
  std::string in = "";
  DataOptions data = {.data = ""};
  ComputeOptions compute;
  OutputOptions output;
};
void AddModelFlags(flags::Flags& flags, ModelFlags* options, const std::string& data_help);

// What they come to: the model, and which data it is for: --data where it was given, else what the
// model was trained on, from where it was then.
struct ModelUse {
  model::SavedModel saved;
  DataOptions source;
  train::EvaluateOptions options;
  std::string named_by = "";  // the model's file, where --data was not given

  // What is wrong with the data, and who asked for them.
  absl::Status WhoNamedTheData(const absl::Status& wrong) const;
};
// Without a value *exit_code says how the command ends; why has been said on stderr.
std::optional<ModelUse> LoadModelUse(absl::string_view command, const flags::Flags& flags,
                                     const ModelFlags& options, int* exit_code);

// InvalidArgument where pictures of that shape do not fit the model in the file `in`.
absl::Status CheckShape(const std::string& in, const model::SavedModel& saved,
                        const std::string& data, size_t rows, size_t cols);

}  // namespace mlp::cli
