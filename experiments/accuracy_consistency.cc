// Every way to compute, against the textbook in double from the same start with the same batches.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/ladder.h"
#include "experiments/harness/oracle.h"
#include "experiments/harness/train.h"

namespace mlp::experiments {
namespace {

using kernels::MathMode;
using kernels::Target;

constexpr size_t kSteps = 30;
constexpr size_t kTestSamples = 1000;

constexpr size_t kEarlySteps = 3;

// What a variant has to stay within, exact and fast math alike. Rounding alone is seen in the first
// steps. Later on a unit may switch on a step sooner or later, and Adam gives parameters with the
// smallest gradients full steps: both magnify it, with some seeds a thousandfold, so the later
// bands catch wrong arithmetic only.
constexpr double kEarlyLossBand = 1e-5;   // largest relative deviation in the first steps
constexpr double kLossBand = 5e-2;        // and in all of them
constexpr double kWeightBand = 0.2;       // distance at the end, in parts of the way travelled
constexpr double kAgreementBandPct = 97;  // equal predictions at the end

absl::Status Measure(const Target& target, MathMode math, const Session& session,
                     record::RunRecord& run) {
  train::TrainOptions options = session.DefaultTrainOptions();
  options.strategy.target = target;
  options.strategy.math = math;
  const absl::StatusOr<Training> training =
      TrainSteps(session, options, kSteps, run, {.untimed = 0, .step_losses = true});
  if (!training.ok()) return training.status();
  const Oracle& oracle =
      TrainReference(session, options, training->step_losses.size(), kTestSamples);
  const double steps_per_epoch = std::ceil(static_cast<double>(session.dataset().train.size) /
                                           static_cast<double>(options.batch_size));
  for (size_t i = 0; i < oracle.step_losses.size(); ++i) {
    const auto step = static_cast<double>(i + 1);
    const double mine = training->step_losses[i];
    run.curve.push_back(
        {{"epoch", step / steps_per_epoch},
         {"step", step},
         {"train_loss", mine},
         {"loss_deviation", std::abs(mine - oracle.step_losses[i]) / oracle.step_losses[i]}});
  }
  const std::vector<double> early(
      oracle.step_losses.begin(),
      oracle.step_losses.begin() +
          static_cast<ptrdiff_t>(std::min(kEarlySteps, oracle.step_losses.size())));
  const double early_loss = LossDeviation(training->step_losses, early);
  const double loss = LossDeviation(training->step_losses, oracle.step_losses);
  const double weights = WeightDeviation(*training->model, oracle);
  const double agreement_pct = PredictionAgreementPct(session, options, *training->model, oracle);
  run.metrics["early_loss_deviation"] = early_loss;
  run.metrics["loss_deviation"] = loss;
  run.metrics["weight_deviation"] = weights;
  run.metrics["prediction_agreement_pct"] = agreement_pct;
  if (early_loss <= kEarlyLossBand && loss <= kLossBand && weights <= kWeightBand &&
      agreement_pct >= kAgreementBandPct) {
    return absl::OkStatus();
  }
  return absl::OutOfRangeError(absl::StrFormat(
      "expected deviations up to %g (loss, first %d steps), %g (loss), %g (weights) and %g %% "
      "equal predictions, found %g, %g, %g and %g %%",
      kEarlyLossBand, kEarlySteps, kLossBand, kWeightBand, kAgreementBandPct, early_loss, loss,
      weights, agreement_pct));
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  experiment.SetConfig("steps", static_cast<double>(kSteps));
  experiment.SetConfig("early_steps", static_cast<double>(kEarlySteps));
  experiment.SetConfig("early_loss_band", kEarlyLossBand);
  experiment.SetConfig("loss_band", kLossBand);
  experiment.SetConfig("weight_band", kWeightBand);
  experiment.SetConfig("agreement_band_pct", kAgreementBandPct);
  const auto name = [](const Target& target, MathMode math) {
    return absl::StrCat(kernels::Name(target), " ", std::string(kernels::Name(math)));
  };
  Table& table = experiment.AddTable(
      {.title = "Deviation from the reference in double",
       .baseline = name(AllTargets().front(), MathMode::kExact),
       .primary = "metrics.early_loss_deviation",
       .higher_is_better = false,
       .columns = {"metrics.loss_deviation", "metrics.weight_deviation",
                   "metrics.prediction_agreement_pct"},
       .plots = {{.kind = "bars",
                  .title = "Largest relative deviation of the loss in the first steps",
                  .y = "metrics.early_loss_deviation",
                  .log_x = true,
                  .mark = kEarlyLossBand},
                 {.kind = "curves",
                  .title = "Relative deviation of each step's loss",
                  .x = "curve.step",
                  .y = "curve.loss_deviation",
                  .series = "params.math",
                  .log_y = true}},
       .claims = {{"within", "metrics.early_loss_deviation", kEarlyLossBand},
                  {"within", "metrics.prediction_agreement_pct", kAgreementBandPct}}});
  for (const Target& target : AllTargets()) {
    for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
      table.Add(
          {.name = name(target, math),
           .params = {{"math", std::string(kernels::Name(math))}},
           .body = [=](const Session& session,
                       record::RunRecord& run) { return Measure(target, math, session, run); },
           .skipped = WhyUnsupported(target)});
    }
  }
  // With equal seeds it is equal to the last bit.
  table.OmitBaselineAgain();
  SetDeviationConfig(experiment);
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "accuracy_consistency",
                .question = "Do all instruction sets and backends compute the same losses "
                            "and predictions as the reference?",
                .omitted_flags = {"backend", "math", "epochs", "work"}})
