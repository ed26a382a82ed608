// Nets whose layers take no longer than a call: what an engine for them gains over those that are
// made for large ones.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/oracle.h"
#include "experiments/harness/train.h"
#include "mlp/base/status_macros.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/train/strategies/strategy.h"
#include "mlp/train/trainer.h"

namespace mlp::experiments {
namespace {

constexpr size_t kOracleSteps = 30;
constexpr train::StrategyKind kKinds[] = {
    train::StrategyKind::kMaterialized, train::StrategyKind::kFused,
    train::StrategyKind::kPerSample, train::StrategyKind::kTiny};

// Trains the session's epochs without a callback: to tell of each step would take as long as one.
absl::Status Measure(const model::ModelSpec& spec, train::StrategyKind kind, const Session& session,
                     record::RunRecord& run) {
  train::TrainOptions options = session.DefaultTrainOptions();
  options.strategy.kind = kind;
  // As such nets are trained: a little less after each epoch.
  options.schedule = {.kind = optim::ScheduleKind::kExponential, .decay = 0.999};
  model::Model model(spec, session.seed());
  MLP_ASSIGN_OR_RETURN(train::Trainer trainer,
                       train::Trainer::Create(options, session.dataset(), model));
  Describe(trainer.options(), run);
  MLP_ASSIGN_OR_RETURN(const std::vector<train::EpochSummary> epochs, trainer.Train());
  for (const train::EpochSummary& epoch : epochs) {
    run.timings["epoch_s"].push_back(epoch.seconds);
    run.timings["step_s"].push_back(epoch.seconds / static_cast<double>(epoch.steps));
    run.timings["updates_per_s"].push_back(static_cast<double>(epoch.steps) / epoch.seconds);
  }
  run.metrics["train_loss"] = epochs.back().train_loss;
  run.metrics["test_accuracy"] = trainer.Test().accuracy;
  run.metrics["memory_bytes"] = static_cast<double>(trainer.bytes());
  return absl::OkStatus();
}

// The losses of the first steps against the reference's.
absl::Status Compare(train::StrategyKind kind, const Session& session, record::RunRecord& run) {
  train::TrainOptions options = session.DefaultTrainOptions();
  options.strategy.kind = kind;
  const size_t steps = session.Steps(kOracleSteps);
  record::RunRecord slice;
  MLP_ASSIGN_OR_RETURN(const Training training, TrainSteps(session, options, steps, slice,
                                                           {.untimed = 0, .step_losses = true}));
  const Oracle& oracle = TrainReference(session, options, steps, /*test_samples=*/1);
  run.metrics["loss_deviation"] = LossDeviation(training.step_losses, oracle.step_losses);
  return absl::OkStatus();
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  const auto can_train = [&](train::StrategyKind kind, const model::ModelSpec& spec) {
    return train::CanTrain(kind, experiment.train_options().strategy.target,
                           {spec, experiment.options().batch_size});
  };
  Table& strategies = experiment.AddTable(
      {.name = "strategies",
       .title = "Strategies",
       .baseline = std::string(train::Name(kKinds[0])),
       .primary = "timings.updates_per_s",
       .columns = {"timings.step_s", "timings.epoch_s", "metrics.train_loss",
                   "metrics.test_accuracy", "metrics.loss_deviation", "metrics.memory_bytes"},
       .plots = {{.kind = "bars", .log_x = true}}});
  for (const train::StrategyKind kind : kKinds) {
    if (!can_train(kind, experiment.model())) continue;
    strategies.Add({.name = std::string(train::Name(kind)),
                    .params = {},
                    .body = [kind](const Session& session, record::RunRecord& run) {
                      MLP_RETURN_IF_ERROR(Measure(session.model(), kind, session, run));
                      return Compare(kind, session, run);
                    }});
  }

  Table& sizes = experiment.AddTable({.name = "widths",
                                      .title = "Two hidden layers of growing width",
                                      .baseline = "fused, width=8",
                                      .primary = "timings.updates_per_s",
                                      .columns = {"timings.step_s", "metrics.test_accuracy"},
                                      .plots = {{.kind = "lines",
                                                 .title = "Updates over parameters",
                                                 .x = "params.parameters",
                                                 .y = "timings.updates_per_s",
                                                 .series = "params.strategy",
                                                 .log_x = true,
                                                 .log_y = true}}});
  for (const train::StrategyKind kind : {train::StrategyKind::kFused, train::StrategyKind::kTiny}) {
    for (const size_t width : {4, 8, 16, 24, 32, 40}) {
      model::ModelSpec spec = experiment.model();
      for (size_t i = 0; i + 1 < spec.layers.size(); ++i) spec.layers[i].units = width;
      if (!can_train(kind, spec)) continue;
      sizes.Add({.name = absl::StrCat(train::Name(kind), ", width=", width),
                 .params = {{"strategy", std::string(train::Name(kind))},
                            {"parameters", static_cast<double>(spec.parameter_count())},
                            {"width", static_cast<double>(width)}},
                 .body = [=](const Session& session, record::RunRecord& run) {
                   return Measure(spec, kind, session, run);
                 }});
    }
  }
  experiment.SetConfig("loss_deviation",
                       "largest relative difference from the reference's loss in the first steps");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(
    mlp::experiments::Main,
    {.name = "tiny",
     .question = "How many updates a second does a tiny net get, one sample at a time?",
     .defaults = {.model = "2-8-8-1", .epochs = 50, .batch_size = 1, .learning_rate = 0.01},
     .own_data = "circles"})
