// Training as experiments measure it: whole epochs, or a fixed slice of steps.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "experiments/harness/session.h"
#include "mlp/model/model.h"
#include "mlp/record/record.h"
#include "mlp/train/trainer.h"

namespace mlp::experiments {

// What a training leaves behind.
struct Training {
  std::unique_ptr<model::Model> model;
  std::vector<double> step_losses;  // mean of each first step's batch, at the weights it met
};

struct EpochsOptions {
  size_t evaluations_per_epoch = 1;  // on the test part; their time is not counted
  double target_accuracy = 0;        // for time_to_accuracy_s; 0: none
  size_t step_losses = 0;            // of so many first steps, which are then taken one by one
};

struct StepsOptions {
  size_t untimed = 5;        // of full batches, before the timed ones
  bool step_losses = false;  // of all steps, which are then taken one by one
};

// Trains options.epochs epochs from the session's seed and evaluates. Into `run`:
//   timings  step_s (median step of each epoch, of those taken at once their mean), epoch_s,
//   samples_per_s (each epoch's),
//            time_to_accuracy_s (training time at the first evaluation that reaches the target;
//            left out where none does)
//   metrics  train_loss (of the last epoch), test_loss, test_accuracy, memory_bytes
//   curve    epoch, train_s, train_loss (mean since the entry before), test_loss, test_accuracy
//   params, resolved  what ran
absl::StatusOr<Training> TrainEpochs(const Session& session, const train::TrainOptions& options,
                                     record::RunRecord& run, const EpochsOptions& epochs = {});

// Trains `steps` steps of full batches, or the part of them that the session times (all where their
// losses are asked for), after a few that are not timed (very few of both in a smoke run). Into
// `run`:
//   timings  step_s (each step, of those taken at once their mean), samples_per_s (from the
//   median),
//            epoch_s (the median step times the steps of an epoch)
//   metrics  train_loss (mean over all steps), memory_bytes
//   params, resolved  what ran
absl::StatusOr<Training> TrainSteps(const Session& session, const train::TrainOptions& options,
                                    size_t steps, record::RunRecord& run,
                                    const StepsOptions& how = {});

// The params and the kernels of a training. A param that is there already is kept.
void Describe(const train::TrainOptions& options, record::RunRecord& run);

}  // namespace mlp::experiments
