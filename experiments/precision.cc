// What factors in bfloat16 cost in accuracy and gain in time: steps in time; trainings over seeds
// against single precision with the same start and batches, and against the textbook in double.
#include <algorithm>
#include <cmath>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/oracle.h"
#include "experiments/harness/train.h"
#include "mlp/base/status_macros.h"
#include "mlp/kernels/pairs/pairs.h"
#include "mlp/kernels/target.h"

namespace mlp::experiments {
namespace {

using kernels::Precision;

constexpr size_t kTimedSteps = 500;
constexpr size_t kSteps = 30;
constexpr size_t kEarlySteps = 3;
constexpr size_t kTestSamples = 1000;

// One way to compute products.
struct Way {
  Precision precision = Precision::kFp32;
  bool skip_zeros = false;
  bool amx = false;

  std::string Name() const {
    return absl::StrCat(std::string(kernels::Name(precision)), skip_zeros ? " skip_zeros" : "",
                        amx ? " amx" : "");
  }
  bool operator==(const Way&) const = default;
};

std::vector<Way> Ways() {
  std::vector<Way> ways = {{Precision::kFp32}, {Precision::kFp32, /*skip_zeros=*/true}};
  for (const bool amx : {false, true}) {
    for (const Precision precision : {Precision::kSplit3, Precision::kBf16x3, Precision::kBf16}) {
      ways.push_back({precision, /*skip_zeros=*/false, amx});
    }
    ways.push_back({Precision::kBf16, /*skip_zeros=*/true, amx});
  }
  return ways;
}

train::TrainOptions OptionsOf(const Way& way, const Session& session) {
  train::TrainOptions options = session.DefaultTrainOptions();
  options.strategy.kind = train::StrategyKind::kTensorParallel;
  options.strategy.precision = way.precision;
  options.strategy.skip_zeros = way.skip_zeros;
  options.strategy.amx = way.amx;
  return options;
}

// How a training came out; equal seeds give equal bits, so it is made once.
struct Result {
  uint64_t seed;
  Way way;
  double train_loss;
  double test_loss;
  double test_accuracy;
};

absl::StatusOr<Result> Train(const Way& way, const Session& session, record::RunRecord& run) {
  static std::deque<Result> kept;
  Describe(OptionsOf(way, session), run);
  for (const Result& result : kept) {
    if (result.seed == session.seed() && result.way == way) return result;
  }
  MLP_RETURN_IF_ERROR(TrainEpochs(session, OptionsOf(way, session), run).status());
  constexpr size_t kKept = 32;
  if (kept.size() == kKept) kept.pop_front();
  return kept.emplace_back(Result{session.seed(), way, run.metrics["train_loss"],
                                  run.metrics["test_loss"], run.metrics["test_accuracy"]});
}

absl::Status MeasureTraining(const Way& way, const Session& session, record::RunRecord& run) {
  return TrainSteps(session, OptionsOf(way, session), kTimedSteps, run).status();
}

// Of the same seed, so that the difference is that of a pair.
absl::Status MeasureAccuracy(const Way& way, const Session& session, record::RunRecord& run) {
  record::RunRecord unused;
  MLP_ASSIGN_OR_RETURN(const Result fp32, Train({}, session, unused));
  record::RunRecord training;
  MLP_ASSIGN_OR_RETURN(const Result result, Train(way, session, training));
  run.params.merge(training.params);
  run.resolved = training.resolved;
  run.metrics["test_error_pct"] = 100 * (1 - result.test_accuracy);
  run.metrics["test_accuracy"] = result.test_accuracy;
  run.metrics["accuracy_difference_pct"] = 100 * (result.test_accuracy - fp32.test_accuracy);
  run.metrics["test_loss"] = result.test_loss;
  run.metrics["train_loss"] = result.train_loss;
  run.metrics["train_loss_difference"] = result.train_loss - fp32.train_loss;
  return absl::OkStatus();
}

absl::Status MeasureDeviation(const Way& way, const Session& session, record::RunRecord& run) {
  const train::TrainOptions options = OptionsOf(way, session);
  MLP_ASSIGN_OR_RETURN(const Training training, TrainSteps(session, options, kSteps, run,
                                                           {.untimed = 0, .step_losses = true}));
  const Oracle& oracle =
      TrainReference(session, options, training.step_losses.size(), kTestSamples);
  const double steps_per_epoch = std::ceil(static_cast<double>(session.dataset().train.size) /
                                           static_cast<double>(options.batch_size));
  for (size_t i = 0; i < oracle.step_losses.size(); ++i) {
    const auto step = static_cast<double>(i + 1);
    run.curve.push_back(
        {{"epoch", step / steps_per_epoch},
         {"step", step},
         {"train_loss", training.step_losses[i]},
         {"loss_deviation",
          std::abs(training.step_losses[i] - oracle.step_losses[i]) / oracle.step_losses[i]}});
  }
  const std::vector<double> early(
      oracle.step_losses.begin(),
      oracle.step_losses.begin() +
          static_cast<ptrdiff_t>(std::min(kEarlySteps, oracle.step_losses.size())));
  run.metrics["early_loss_deviation"] = LossDeviation(training.step_losses, early);
  run.metrics["loss_deviation"] = LossDeviation(training.step_losses, oracle.step_losses);
  run.metrics["weight_deviation"] = WeightDeviation(*training.model, oracle);
  run.metrics["prediction_agreement_pct"] =
      PredictionAgreementPct(session, options, *training.model, oracle);
  return absl::OkStatus();
}

using Measure = absl::Status (*)(const Way&, const Session&, record::RunRecord&);

void AddWays(const kernels::Target& target, Measure measure, Table& table) {
  for (const Way& way : Ways()) {
    table.Add({.name = way.Name(),
               .params = {{"precision", std::string(kernels::Name(way.precision))},
                          {"skip_zeros", way.skip_zeros}},
               .body = [=](const Session& session,
                           record::RunRecord& run) { return measure(way, session, run); },
               .skipped = way.amx && kernels::FindTileKernels(target) == nullptr
                              ? "needs simd/avx512 and a CPU with AMX_BF16"
                              : ""});
  }
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  experiment.SetConfig("steps", static_cast<double>(kSteps));
  experiment.SetConfig("early_steps", static_cast<double>(kEarlySteps));
  const kernels::Target target = experiment.train_options().strategy.target;
  const std::string baseline = Way().Name();
  AddWays(target, MeasureTraining,
          experiment.AddTable({.name = "training",
                               .title = "Time of training",
                               .baseline = baseline,
                               .primary = "timings.samples_per_s",
                               .columns = {"timings.step_s", "metrics.memory_bytes"},
                               .plots = {{.kind = "bars"}}}));
  Table& accuracy = experiment.AddTable(
      {.name = "accuracy",
       .title = "Test error over seeds",
       .baseline = baseline,
       .primary = "metrics.test_error_pct",
       .higher_is_better = false,
       .columns = {"metrics.test_accuracy", "metrics.accuracy_difference_pct", "metrics.train_loss",
                   "metrics.train_loss_difference", "metrics.test_loss"},
       .plots = {{.kind = "bars"}}});
  AddWays(target, MeasureAccuracy, accuracy);
  // With equal seeds it is equal to the last bit.
  accuracy.OmitBaselineAgain();
  Table& deviation =
      experiment.AddTable({.name = "deviation",
                           .title = "Deviation from the reference in double, 30 steps",
                           .baseline = baseline,
                           .primary = "metrics.early_loss_deviation",
                           .higher_is_better = false,
                           .columns = {"metrics.loss_deviation", "metrics.weight_deviation",
                                       "metrics.prediction_agreement_pct"},
                           .plots = {{.kind = "curves",
                                      .title = "Relative deviation of each step's loss",
                                      .x = "curve.step",
                                      .y = "curve.loss_deviation",
                                      .log_y = true}}});
  AddWays(target, MeasureDeviation, deviation);
  deviation.OmitBaselineAgain();
  SetDeviationConfig(experiment);
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "precision",
                .question = "What do factors of bfloat16, one or several terms of them, cost in "
                            "accuracy and gain in time?",
                .defaults = {.epochs = 5, .budget_s = 120, .max_rounds = 10},
                .omitted_flags = {"backend"}})
