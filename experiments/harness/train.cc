#include "experiments/harness/train.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "analysis/statistics.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/kernels/kernels.h"
#include "mlp/optim/schedule.h"
#include "mlp/train/callback.h"
#include "mlp/train/needed_memory.h"

namespace mlp::experiments {
namespace {

absl::StatusOr<train::Trainer> MakeTrainer(const Session& session,
                                           const train::TrainOptions& options,
                                           record::RunRecord& run, Training& training) {
  MLP_RETURN_IF_ERROR(train::CheckMemory(session.model(), options, session.dataset()));
  training.model = std::make_unique<model::Model>(session.model(), options.seed);
  auto trainer = train::Trainer::Create(options, session.dataset(), *training.model);
  Describe(trainer.ok() ? trainer->options() : options, run);
  return trainer;
}

// Notes losses and times of steps; evaluates between them.
class EpochsObserver final : public train::Callback {
 public:
  EpochsObserver(const train::Trainer& trainer, const EpochsOptions& options,
                 record::RunRecord& run, Training& training)
      : trainer_(trainer), options_(options), run_(run), training_(training) {
    MLP_CHECK_GT(options.evaluations_per_epoch, 0u);
  }

  // Until the next of the epoch's evenly spaced points.
  size_t StepsAtOnce(size_t step, size_t steps_per_epoch) const override {
    if (training_.step_losses.size() < options_.step_losses) return 1;
    const size_t points = options_.evaluations_per_epoch;
    const size_t next = step * points / steps_per_epoch + 1;
    return std::max<size_t>(1, (next * steps_per_epoch + points - 1) / points - step);
  }
  train::Next OnStep(const train::StepSummary& step) override {
    if (training_.step_losses.size() < options_.step_losses) {
      training_.step_losses.push_back(step.result.loss());
    }
    train_s_ += step.seconds;
    step_s_.push_back(step.seconds / static_cast<double>(step.steps));
    since_entry_ += step.result;
    const size_t points = options_.evaluations_per_epoch;
    if (step.step * points / step.steps_per_epoch !=
        (step.step - step.steps) * points / step.steps_per_epoch) {
      Evaluate(step);
    }
    return train::Next::kContinue;
  }

  train::Next OnEpoch(const train::EpochSummary& epoch) override {
    run_.timings["step_s"].push_back(analysis::Median(step_s_));
    run_.timings["epoch_s"].push_back(epoch.seconds);
    run_.timings["samples_per_s"].push_back(epoch.samples_per_second());
    run_.metrics["train_loss"] = epoch.train_loss;
    step_s_.clear();
    return train::Next::kContinue;
  }

 private:
  void Evaluate(const train::StepSummary& step) {
    const train::Evaluation test = trainer_.Test();
    run_.metrics["test_loss"] = test.loss;
    run_.metrics["test_accuracy"] = test.accuracy;
    const double epoch = static_cast<double>(step.epoch - 1) +
                         static_cast<double>(step.step) / static_cast<double>(step.steps_per_epoch);
    run_.curve.push_back({{"epoch", epoch},
                          {"train_s", train_s_},
                          {"train_loss", since_entry_.loss()},
                          {"test_loss", test.loss},
                          {"test_accuracy", test.accuracy}});
    since_entry_ = {};
    if (options_.target_accuracy > 0 && test.accuracy >= options_.target_accuracy) {
      run_.timings.try_emplace("time_to_accuracy_s", std::vector<double>{train_s_});
    }
  }

  const train::Trainer& trainer_;
  const EpochsOptions options_;
  record::RunRecord& run_;
  Training& training_;
  double train_s_ = 0;
  std::vector<double> step_s_;
  engine::StepResult since_entry_;
};

class StepsObserver final : public train::Callback {
 public:
  // `full_steps` of an epoch have full_batch samples.
  StepsObserver(size_t untimed, size_t timed, size_t full_batch, size_t full_steps,
                std::vector<double>* losses)
      : untimed_(untimed),
        steps_(untimed + timed),
        full_batch_(full_batch),
        full_steps_(full_steps),
        losses_(losses) {}

  size_t StepsAtOnce(size_t step, size_t /*steps_per_epoch*/) const override {
    if (losses_ != nullptr || step >= full_steps_) return 1;
    const size_t left = (done_ < untimed_ ? untimed_ : steps_) - done_;
    return std::min(left, full_steps_ - step);
  }
  train::Next OnStep(const train::StepSummary& step) override {
    if (losses_ != nullptr) losses_->push_back(step.result.loss());
    sum_ += step.result;
    steps_per_epoch_ = step.steps_per_epoch;
    if (step.result.samples == full_batch_ * step.steps) {
      done_ += step.steps;
      if (done_ > untimed_) step_s_.push_back(step.seconds / static_cast<double>(step.steps));
    }
    return done_ == steps_ ? train::Next::kStop : train::Next::kContinue;
  }

  const std::vector<double>& step_s() const { return step_s_; }
  size_t steps_per_epoch() const { return steps_per_epoch_; }
  double mean_loss() const { return sum_.loss(); }

 private:
  const size_t untimed_;
  const size_t steps_;
  const size_t full_batch_;
  const size_t full_steps_;
  std::vector<double>* const losses_;  // null: nobody asks for them
  size_t done_ = 0;                    // steps of full batches
  engine::StepResult sum_;
  std::vector<double> step_s_;
  size_t steps_per_epoch_ = 0;
};

}  // namespace

void Describe(const train::TrainOptions& options, record::RunRecord& run) {
  const train::StrategyOptions& strategy = options.strategy;
  run.params.try_emplace("batch_size", static_cast<double>(options.batch_size));
  run.params.try_emplace("threads", static_cast<double>(strategy.threads));
  run.params.try_emplace("optimizer", std::string(kernels::Name(options.optimizer.kind)));
  run.params.try_emplace("learning_rate", options.optimizer.learning_rate);
  if (options.schedule.kind != optim::ScheduleKind::kConstant) {
    run.params.try_emplace("schedule", std::string(Name(options.schedule.kind)));
  }
  run.params.try_emplace("strategy", std::string(strategy.KindName()));
  if (strategy.shards > 0) {
    run.params.try_emplace("shards", static_cast<double>(strategy.shards));
  }
  run.params.try_emplace("skip_zeros", strategy.skip_zeros.value_or(false));
  if (!strategy.columns.empty()) {
    run.params.try_emplace("inputs", static_cast<double>(strategy.columns.size()));
  }
  run.params.try_emplace("precision", std::string(kernels::Name(strategy.precision)));
  if (train::UsesAmx(strategy)) run.params.try_emplace("amx", true);
  run.params.try_emplace("target", kernels::Name(strategy.target));
  run.params.try_emplace("math", std::string(kernels::Name(strategy.math)));
  for (const auto& [op, target] : train::ResolvedKernels(strategy)) run.resolved[op] = target;
}

absl::StatusOr<Training> TrainEpochs(const Session& session, const train::TrainOptions& options,
                                     record::RunRecord& run, const EpochsOptions& epochs) {
  Training training;
  MLP_ASSIGN_OR_RETURN(train::Trainer trainer, MakeTrainer(session, options, run, training));
  run.metrics["memory_bytes"] = static_cast<double>(trainer.bytes());
  EpochsObserver observer(trainer, epochs, run, training);
  MLP_RETURN_IF_ERROR(trainer.Train(&observer).status());
  MLP_RETURN_IF_ERROR(train::CheckFiniteLoss(absl::StrCat("epoch ", options.epochs, ", test part"),
                                             run.metrics["test_loss"]));
  return training;
}

absl::StatusOr<Training> TrainSteps(const Session& session, const train::TrainOptions& options,
                                    size_t steps, record::RunRecord& run, const StepsOptions& how) {
  Training training;
  train::TrainOptions endless = options;
  endless.epochs = std::numeric_limits<uint32_t>::max();
  MLP_ASSIGN_OR_RETURN(train::Trainer trainer, MakeTrainer(session, endless, run, training));
  run.metrics["memory_bytes"] = static_cast<double>(trainer.bytes());
  const size_t samples = session.dataset().train.size;
  const size_t full_batch = std::min(options.batch_size, samples);
  const auto timed = static_cast<size_t>(std::ceil(session.Timed(static_cast<double>(steps))));
  StepsObserver observer(session.Steps(how.untimed), session.Steps(how.step_losses ? steps : timed),
                         full_batch, samples / full_batch,
                         how.step_losses ? &training.step_losses : nullptr);
  MLP_RETURN_IF_ERROR(trainer.Train(&observer).status());
  const double step_s = analysis::Median(observer.step_s());
  run.timings["step_s"] = observer.step_s();
  run.timings["samples_per_s"] = {static_cast<double>(full_batch) / step_s};
  run.timings["epoch_s"] = {step_s * static_cast<double>(observer.steps_per_epoch())};
  run.metrics["train_loss"] = observer.mean_loss();
  return training;
}

}  // namespace mlp::experiments
