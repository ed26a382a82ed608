// The flags of `mlp train`, and how they come from a model file when training is resumed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mlp/cli/options.h"
#include "mlp/flags/flags.h"
#include "mlp/model/model_file.h"
#include "mlp/model/spec.h"
#include "mlp/optim/optimizer.h"
#include "mlp/optim/schedule_flags.h"
#include "mlp/train/trainer.h"
#include "mlp/tune/tuning.h"

namespace mlp::cli {

struct TrainFlags : optim::ScheduleFlags {
  DataOptions data;
  std::string model = "784-128-128-128-10";
  std::string loss = "auto";
  size_t epochs = 5;
  size_t batch_size = 64;
  std::string last_batch = "keep";
  std::string optimizer = "adam";
  double learning_rate = 1e-3;
  double weight_decay = 0;
  double momentum = optim::OptimizerOptions().momentum;
  double rho = optim::OptimizerOptions().rho;
  double beta1 = optim::OptimizerOptions().beta1;
  double beta2 = optim::OptimizerOptions().beta2;
  double epsilon = optim::OptimizerOptions().epsilon;
  double clip_norm = 0;
  uint64_t seed = 1;
  double validation = 0;
  std::string strategy = "auto";
  std::string precision = "fp32";
  std::string amx = "auto";
  std::string skip_zeros = "auto";
  std::string tune = "auto";
  size_t shards = 0;
  size_t micro_batches = 4;
  ComputeOptions compute;
  std::string out = "";
  std::string resume = "";
  bool force = false;
  bool profile = false;
  std::string profile_out = "";
  OutputOptions output;
};

void AddTrainFlags(flags::Flags& flags, TrainFlags* options);

// The spec and the options that the flags come to. Without a --strategy, clipping takes one that
// can clip. What `given` was given and belongs to an optimizer, a schedule or a strategy that was
// not chosen is an error. InvalidArgument names the flag.
struct TrainPlan {
  model::ModelSpec spec;
  train::TrainOptions options;
  std::optional<tune::Tuning> tuning;  // that options follow where flags leave them open
};
absl::StatusOr<TrainPlan> MakePlan(const flags::Flags& given, const TrainFlags& flags);

// Whether flags leave anything open that this machine's tuning decides for the plan.
bool AsksForTuning(const TrainFlags& flags, const TrainPlan& plan);
// Decides it.
void ApplyTuning(const TrainFlags& flags, const tune::Tuning& tuning, TrainPlan* plan);

// What is kept in the model file: the flags that shape the result, as they were resolved.
model::Settings ToSettings(const TrainFlags& flags, const TrainPlan& plan);

// The command line once more, with the settings of the file for all that it does not say. Errors:
// InvalidArgument where the file has a setting that is none, or the command line contradicts what
// cannot change on the way.
absl::Status AddSettings(const std::vector<std::string>& arguments, const model::SavedModel& saved,
                         flags::Flags& flags, TrainFlags* options);

}  // namespace mlp::cli
