// Trains a model on a data set: epochs, shuffled batches, metrics, callbacks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/data/batcher.h"
#include "mlp/data/dataset.h"
#include "mlp/engine/layerwise.h"
#include "mlp/model/model.h"
#include "mlp/model/training_state.h"
#include "mlp/optim/optimizer.h"
#include "mlp/optim/schedule.h"
#include "mlp/train/callback.h"
#include "mlp/train/evaluate.h"
#include "mlp/train/strategies/strategy.h"

namespace mlp::train {

struct TrainOptions {
  size_t epochs = 5;
  size_t batch_size = 64;
  data::LastBatch last_batch = data::LastBatch::kKeep;
  optim::OptimizerOptions optimizer;
  optim::ScheduleOptions schedule;  // of the optimizer's learning rate
  uint64_t seed = 1;                // of the order of the samples
  double validation = 0;  // part of the training set that is held out and evaluated each epoch
  StrategyOptions strategy;
};

// Aborted, with the remedy, where the loss is no longer a finite number. `place` says whose it is
// ("epoch 3, test part"). A step's loss is that of the weights before its update, so the last
// update of all is told by what is evaluated after it.
absl::Status CheckFiniteLoss(absl::string_view place, double loss);

class Trainer {
 public:
  // InvalidArgument where options do not go together, or with the model and the data. Model and
  // data must outlive the trainer.
  static absl::StatusOr<Trainer> Create(const TrainOptions& options, const data::Dataset& dataset,
                                        model::Model& model);

  // The model holds what was trained after each call of a member, and in a callback after Test() or
  // state(): between steps the strategy may have it elsewhere.

  // Trains one epoch more. Aborted: the loss of a step or of the validation is no longer a finite
  // number (the message says where).
  // Ends early, after the step, where a callback asks for it. The rest of an epoch that was ended
  // early (and resumed) counts with what was trained of it before.
  absl::StatusOr<EpochSummary> TrainEpoch(Callback* callback = nullptr);

  // All epochs of the options. What the callbacks ended early has fewer.
  absl::StatusOr<std::vector<EpochSummary>> Train(Callback* callback = nullptr);

  // How far training is, between steps. Made to be kept in a file.
  model::TrainingState state() const;
  // Goes on where a trainer with the same options stood, on the model as it was then. Before the
  // first epoch. InvalidArgument, with nothing changed, where the state is not one of such a
  // trainer.
  absl::Status Resume(const model::TrainingState& state);

  // Loss and accuracy on the test part.
  Evaluation Test() const;

  // With what was left open decided.
  const TrainOptions& options() const { return options_; }
  // Complete ones.
  size_t epochs_done() const { return epochs_done_; }
  size_t steps_per_epoch() const { return batcher_->steps_per_epoch(); }
  bool stopped() const { return stopped_; }

  // Memory planned for training, beside the model's parameters and the data.
  size_t bytes() const { return strategy_->bytes() + optimizer_->bytes(); }

 private:
  Trainer(const TrainOptions& options, const data::Dataset& dataset, model::Model& model);

  absl::StatusOr<EpochSummary> RunEpoch(Callback* callback);
  // For the step after so many of the epoch that is trained.
  double LearningRate(size_t steps_done) const;
  EvaluateOptions evaluate_options() const;

  TrainOptions options_;
  const data::Dataset* dataset_;
  model::Model* model_;
  std::vector<uint32_t> validation_rows_;
  std::unique_ptr<data::Batcher> batcher_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::unique_ptr<Strategy> strategy_;
  size_t epochs_done_ = 0;
  EpochSummary begun_;      // what is trained of the epoch after those
  engine::StepResult sum_;  // of its steps
  bool stopped_ = false;
};

}  // namespace mlp::train
