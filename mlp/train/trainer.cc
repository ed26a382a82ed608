#include "mlp/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/team.h"
#include "mlp/base/timer.h"
#include "mlp/data/split.h"

namespace mlp::train {
namespace {

absl::Status Wrong(absl::string_view flag, absl::string_view expected, size_t found,
                   absl::string_view remedy) {
  return absl::InvalidArgumentError(
      absl::StrCat(flag, ": expected ", expected, ", found ", found, "; ", remedy));
}

}  // namespace

absl::Status CheckFiniteLoss(absl::string_view place, double loss) {
  if (std::isfinite(loss)) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      place, ": expected a finite loss, found ", loss,
      "; training diverged: lower --learning_rate, or bound the gradient (mlp train has "
      "--clip_norm)"));
}

Trainer::Trainer(const TrainOptions& options, const data::Dataset& dataset, model::Model& model)
    : options_(options), dataset_(&dataset), model_(&model) {}

absl::StatusOr<Trainer> Trainer::Create(const TrainOptions& options, const data::Dataset& dataset,
                                        model::Model& model) {
  if (dataset.train.size == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--data: ", dataset.name,
                     ": expected training samples, found none; name data that has some"));
  }
  if (model.inputs() != dataset.train.features) {
    return Wrong("--model",
                 absl::StrCat("an input width of ", dataset.train.features, " for ", dataset.name),
                 model.inputs(), absl::StrCat("begin it with ", dataset.train.features));
  }
  if (model.spec().classes() < dataset.classes) {
    return Wrong("--model",
                 absl::StrCat("an output width of at least the ", dataset.classes, " classes of ",
                              dataset.name, " (", data::LargestLabel(dataset), ")"),
                 model.outputs(),
                 absl::StrCat("end it with ", dataset.classes, ", or mend a label that is wrong"));
  }
  if (options.batch_size == 0) return Wrong("--batch_size", "a number from 1", 0, "64 is usual");
  MLP_RETURN_IF_ERROR(optim::Validate(options.optimizer));
  MLP_RETURN_IF_ERROR(optim::Validate(options.schedule));
  MLP_ASSIGN_OR_RETURN(data::RowSplit split,
                       data::SplitRows(dataset.train.size, options.validation, options.seed));
  const size_t batch_size = std::min(options.batch_size, split.train_rows.size());
  if (options.last_batch == data::LastBatch::kDrop && batch_size < options.batch_size) {
    return Wrong("--batch_size",
                 absl::StrCat("at most the ", batch_size,
                              " training samples, as an incomplete batch is dropped"),
                 options.batch_size, "make it smaller, or keep incomplete batches");
  }
  Trainer trainer(options, dataset, model);
  trainer.options_.batch_size = batch_size;
  const Job job = {model.spec(), batch_size, dataset.train.has_pixels()};
  trainer.options_.strategy = Resolve(options.strategy, job);
  const StrategyKind kind = *trainer.options_.strategy.kind;
  if (!job.has_pixels && kind == StrategyKind::kTensorParallel) {
    return absl::InvalidArgumentError(absl::StrCat("--strategy: ", Name(kind),
                                                   " needs pixels, found the values of ",
                                                   dataset.name, "; use --strategy=fused"));
  }
  StrategyOptions& strategy = trainer.options_.strategy;
  data::PixelUse use;
  if (kind == StrategyKind::kTensorParallel) use = data::FindPixelUse(dataset.train);
  if (!strategy.skip_zeros) {
    strategy.skip_zeros =
        strategy.precision == kernels::Precision::kFp32 && use.density < strategy.skip_below;
  }
  if (!dataset.train.packed.empty() && !ReadsPacked(strategy, options.optimizer)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--data: ", dataset.name, ": expected pixels that are not packed for ", Name(kind),
        " with --weight_decay=", options.optimizer.weight_decay,
        ", found packed ones, which tensor_parallel without weight decay reads; unpack them"));
  }
  strategy.columns = std::move(use.columns);
  trainer.validation_rows_ = std::move(split.validation_rows);
  trainer.batcher_ = std::make_unique<data::Batcher>(split.train_rows, batch_size,
                                                     options.last_batch, options.seed);
  trainer.optimizer_ =
      std::make_unique<optim::Optimizer>(options.optimizer, model.parameters().size());
  MLP_ASSIGN_OR_RETURN(trainer.strategy_, MakeStrategy(trainer.options_.strategy, batch_size, model,
                                                       *trainer.optimizer_));
  return trainer;
}

absl::StatusOr<EpochSummary> Trainer::TrainEpoch(Callback* callback) {
  stopped_ = false;
  absl::StatusOr<EpochSummary> summary;
  KeepTeam(options_.strategy.threads, [&] { summary = RunEpoch(callback); });
  return summary;
}

double Trainer::LearningRate(size_t steps_done) const {
  const size_t step = epochs_done_ * steps_per_epoch() + steps_done;
  return options_.optimizer.learning_rate *
         optim::ScheduleFactor(options_.schedule, {step, steps_per_epoch(), options_.epochs});
}

absl::StatusOr<EpochSummary> Trainer::RunEpoch(Callback* callback) {
  EpochSummary summary = begun_;
  summary.epoch = epochs_done_ + 1;
  Timer timer;
  batcher_->StartEpoch(static_cast<uint32_t>(summary.epoch));
  for (size_t i = 0; i < summary.steps; ++i) batcher_->Next();
  const bool one_rate = optim::IsConstantWithin(options_.schedule, epochs_done_);
  const auto steps_at_once = [&] {
    if (!one_rate) return size_t{1};
    const size_t most = strategy_->steps_at_once();
    if (callback == nullptr) return most;
    return std::min(most, callback->StepsAtOnce(summary.steps, batcher_->steps_per_epoch()));
  };
  double step_begin = 0;
  while (!stopped_) {
    const std::span<const uint32_t> rows = batcher_->Next(steps_at_once());
    if (rows.empty()) break;
    summary.learning_rate = LearningRate(summary.steps);
    optimizer_->set_learning_rate(summary.learning_rate);
    const engine::StepResult result =
        strategy_->Steps({&dataset_->train, rows, batcher_->Peek()}, options_.batch_size);
    const size_t steps = (rows.size() + options_.batch_size - 1) / options_.batch_size;
    summary.steps += steps;
    sum_ += result;
    const double step_end = timer.Seconds();
    summary.seconds += step_end - step_begin;
    if (!std::isfinite(result.loss_sum)) {
      strategy_->Store();
      // Some steps are taken together: which of them it was is not known.
      const std::string step =
          steps == 1 ? "step " : absl::StrCat("steps ", summary.steps - steps + 1, " to ");
      return CheckFiniteLoss(absl::StrCat("epoch ", summary.epoch, ", ", step, summary.steps),
                             result.loss());
    }
    if (callback != nullptr &&
        callback->OnStep({summary.epoch, summary.steps, batcher_->steps_per_epoch(),
                          step_end - step_begin, result, steps}) == Next::kStop) {
      stopped_ = true;
    }
    // A callback's time is not training time.
    step_begin = timer.Seconds();
  }
  strategy_->Store();
  if (sum_.samples > 0) {
    summary.samples = sum_.samples;
    summary.train_loss = sum_.loss();
    summary.train_accuracy = sum_.accuracy();
  }
  summary.complete = summary.steps == batcher_->steps_per_epoch();
  if (summary.complete) {
    ++epochs_done_;
    begun_ = {};
    sum_ = {};
    if (!validation_rows_.empty()) {
      summary.validation = Evaluate(evaluate_options(), *model_, dataset_->train, validation_rows_);
      MLP_RETURN_IF_ERROR(CheckFiniteLoss(absl::StrCat("epoch ", summary.epoch, ", validation"),
                                          summary.validation->loss));
    }
  } else {
    begun_ = summary;
  }
  if (callback != nullptr && callback->OnEpoch(summary) == Next::kStop) stopped_ = true;
  return summary;
}

model::TrainingState Trainer::state() const {
  strategy_->Store();
  model::TrainingState state = {.epochs_done = epochs_done_,
                                .steps_done = begun_.steps,
                                .loss_sum = sum_.loss_sum,
                                .hits = sum_.hits,
                                .samples = sum_.samples,
                                .seconds = begun_.seconds,
                                .optimizer_steps = optimizer_->steps(),
                                .optimizer_states = {}};
  for (size_t k = 0; k < optimizer_->state_count(); ++k) {
    const std::span<const float> from = std::as_const(*optimizer_).state(k);
    state.optimizer_states.emplace_back(from.size());
    std::ranges::copy(from, state.optimizer_states.back().begin());
  }
  return state;
}

absl::Status Trainer::Resume(const model::TrainingState& state) {
  MLP_CHECK(epochs_done_ == 0 && begun_.steps == 0);
  // The remedy is that of whoever knows where the state is from.
  const auto wrong = [](absl::string_view what, absl::string_view expected, size_t found) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": expected ", expected, ", found ", found));
  };
  if (state.steps_done >= steps_per_epoch()) {
    return wrong("steps of the epoch begun", absl::StrCat("less than ", steps_per_epoch()),
                 state.steps_done);
  }
  if (state.epochs_done > std::numeric_limits<uint32_t>::max() - 1) {
    return wrong("epochs done", "less than 2^32 - 1", state.epochs_done);
  }
  if (state.optimizer_states.size() != optimizer_->state_count()) {
    return wrong("optimizer state",
                 absl::StrCat(optimizer_->state_count(), " arrays for ",
                              kernels::Name(options_.optimizer.kind)),
                 state.optimizer_states.size());
  }
  for (const AlignedBuffer<float>& from : state.optimizer_states) {
    if (from.size() == model_->parameters().size()) continue;
    return wrong("optimizer state",
                 absl::StrCat("arrays of ", model_->parameters().size(), " numbers"), from.size());
  }
  epochs_done_ = state.epochs_done;
  begun_.steps = state.steps_done;
  begun_.seconds = state.seconds;
  sum_ = {state.loss_sum, state.hits, state.samples};
  optimizer_->set_steps(state.optimizer_steps);
  for (size_t k = 0; k < optimizer_->state_count(); ++k) {
    std::ranges::copy(state.optimizer_states[k], optimizer_->state(k).begin());
  }
  strategy_->Load();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<EpochSummary>> Trainer::Train(Callback* callback) {
  std::vector<EpochSummary> epochs;
  absl::Status status;
  stopped_ = false;
  // One team for all of them: an epoch of a tiny net is shorter than a fork.
  KeepTeam(options_.strategy.threads, [&] {
    while (status.ok() && epochs_done_ < options_.epochs && !stopped_) {
      absl::StatusOr<EpochSummary> summary = TrainEpoch(callback);
      status = summary.status();
      if (status.ok()) epochs.push_back(*summary);
    }
  });
  if (!status.ok()) return status;
  return epochs;
}

Evaluation Trainer::Test() const {
  strategy_->Store();
  return Evaluate(evaluate_options(), *model_, dataset_->test);
}

EvaluateOptions Trainer::evaluate_options() const {
  return {options_.strategy.target, options_.strategy.math, options_.strategy.threads};
}

}  // namespace mlp::train
