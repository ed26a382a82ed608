// The same model, data order and arithmetic; what differs is who computes which part of the
// gradient, where it is kept, and when it is applied.
#include <string>
#include <vector>

#include "experiments/harness/experiment.h"
#include "experiments/harness/oracle.h"
#include "experiments/harness/train.h"
#include "mlp/data/load.h"
#include "mlp/train/strategies/strategy.h"

namespace mlp::experiments {
namespace {

constexpr size_t kOracleSteps = 10;

absl::Status Measure(train::StrategyKind kind, const Session& session, record::RunRecord& run) {
  train::TrainOptions options = session.DefaultTrainOptions();
  options.strategy.kind = kind;
  const absl::StatusOr<Training> training =
      TrainEpochs(session, options, run, {.step_losses = kOracleSteps});
  if (!training.ok()) return training.status();
  const Oracle& oracle =
      TrainReference(session, options, session.Steps(kOracleSteps), /*test_samples=*/1);
  run.metrics["loss_deviation"] = LossDeviation(training->step_losses, oracle.step_losses);
  return absl::OkStatus();
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  Table& table = experiment.AddTable(
      {.title = "Gradient strategies",
       .baseline = std::string(train::Name(train::StrategyKind::kMaterialized)),
       .primary = "timings.samples_per_s",
       .columns = {"timings.step_s", "metrics.memory_bytes", "metrics.train_loss",
                   "metrics.test_accuracy", "metrics.loss_deviation"},
       .plots = {{.kind = "bars", .title = "Speed-up over materialized", .log_x = true},
                 {.kind = "scatter",
                  .title = "Accuracy against throughput",
                  .x = "timings.samples_per_s",
                  .y = "metrics.test_accuracy",
                  .log_x = true}}});
  for (const train::StrategyKind kind : train::kStrategyKinds) {
    if (!train::CanTrain(kind, experiment.train_options().strategy.target,
                         {experiment.model(), experiment.options().batch_size,
                          data::HasPixels(experiment.options().source.data)})) {
      continue;
    }
    table.Add({.name = std::string(train::Name(kind)),
               .params = {{"purpose", std::string(train::Purpose(kind))},
                          {"deterministic", train::IsDeterministic(kind)}},
               .body = [kind](const Session& session, record::RunRecord& run) {
                 return Measure(kind, session, run);
               }});
  }
  experiment.SetConfig("loss_deviation",
                       "largest relative difference from the reference's loss in the first steps");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "gradient_strategies",
                .question = "What does each way from a batch to an update cost, in time, memory "
                            "and accuracy?",
                .defaults = {.epochs = 1, .batch_size = 128}})
