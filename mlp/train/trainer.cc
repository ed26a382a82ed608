#include "mlp/train/trainer.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/timer.h"
#include "mlp/data/split.h"

namespace mlp::train {
namespace {

absl::Status Wrong(absl::string_view flag, absl::string_view expected, size_t found) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": expected ", expected, ", found ", found));
}

}  // namespace

Trainer::Trainer(const TrainOptions& options, const data::Dataset& dataset, model::Model& model)
    : options_(options), dataset_(&dataset), model_(&model) {}

absl::StatusOr<Trainer> Trainer::Create(const TrainOptions& options, const data::Dataset& dataset,
                                        model::Model& model) {
  if (dataset.train.size == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--data: ", dataset.name, " has no training samples"));
  }
  if (model.inputs() != dataset.train.features) {
    return Wrong("--model",
                 absl::StrCat("an input width of ", dataset.train.features, " for ", dataset.name),
                 model.inputs());
  }
  if (model.outputs() < dataset.classes) {
    return Wrong("--model",
                 absl::StrCat("an output width of at least the ", dataset.classes, " classes of ",
                              dataset.name),
                 model.outputs());
  }
  if (options.batch_size == 0) return Wrong("--batch_size", "a number from 1", 0);
  MLP_RETURN_IF_ERROR(optim::Validate(options.optimizer));
  MLP_ASSIGN_OR_RETURN(data::RowSplit split,
                       data::SplitRows(dataset.train.size, options.validation, options.seed));
  const size_t batch_size = std::min(options.batch_size, split.train_rows.size());
  if (options.last_batch == data::LastBatch::kDrop && batch_size < options.batch_size) {
    return Wrong("--batch_size",
                 absl::StrCat("at most the ", batch_size,
                              " training samples, as an incomplete batch is dropped"),
                 options.batch_size);
  }
  Trainer trainer(options, dataset, model);
  trainer.validation_rows_ = std::move(split.validation_rows);
  trainer.batcher_ = std::make_unique<data::Batcher>(split.train_rows, options.batch_size,
                                                     options.last_batch, options.seed);
  trainer.optimizer_ =
      std::make_unique<optim::Optimizer>(options.optimizer, model.parameters().size());
  MLP_ASSIGN_OR_RETURN(trainer.strategy_,
                       MakeStrategy(options.strategy, batch_size, model, *trainer.optimizer_));
  return trainer;
}

absl::StatusOr<EpochSummary> Trainer::TrainEpoch(Callback* callback) {
  EpochSummary summary;
  summary.epoch = ++epochs_done_;
  engine::StepResult sum;
  Timer timer;
  batcher_->StartEpoch(static_cast<uint32_t>(summary.epoch));
  double step_begin = 0;
  while (!stopped_) {
    const std::span<const uint32_t> rows = batcher_->Next();
    if (rows.empty()) break;
    const engine::StepResult result = strategy_->Step({&dataset_->train, rows});
    ++summary.steps;
    sum += result;
    const double step_end = timer.Seconds();
    summary.seconds += step_end - step_begin;
    if (!std::isfinite(result.loss_sum)) {
      return absl::AbortedError(absl::StrCat(
          "epoch ", summary.epoch, ", step ", summary.steps, ": expected a finite loss, found ",
          result.loss(), "; training diverged: lower --learning_rate or set --clip_norm"));
    }
    if (callback != nullptr &&
        callback->OnStep({summary.epoch, summary.steps, batcher_->steps_per_epoch(),
                          step_end - step_begin, result}) == Next::kStop) {
      stopped_ = true;
    }
    // A callback's time is not training time.
    step_begin = timer.Seconds();
  }
  if (sum.samples > 0) {
    summary.samples = sum.samples;
    summary.train_loss = sum.loss();
    summary.train_accuracy = sum.accuracy();
  }
  if (!validation_rows_.empty() && !stopped_) {
    summary.validation = Evaluate(evaluate_options(), *model_, dataset_->train, validation_rows_);
  }
  if (callback != nullptr && callback->OnEpoch(summary) == Next::kStop) stopped_ = true;
  return summary;
}

absl::StatusOr<std::vector<EpochSummary>> Trainer::Train(Callback* callback) {
  std::vector<EpochSummary> epochs;
  while (epochs_done_ < options_.epochs && !stopped_) {
    MLP_ASSIGN_OR_RETURN(const EpochSummary summary, TrainEpoch(callback));
    epochs.push_back(summary);
  }
  return epochs;
}

Evaluation Trainer::Test() const { return Evaluate(evaluate_options(), *model_, dataset_->test); }

EvaluateOptions Trainer::evaluate_options() const {
  return {options_.strategy.target, options_.strategy.math, options_.strategy.threads, 256};
}

}  // namespace mlp::train
