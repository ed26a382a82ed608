// Every way to compute, against the textbook in double from the same start with the same batches.
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

// What a variant has to stay within. Sums of floats in another order differ by some ulp, and a step
// carries that on; fast math adds a few 1e-6 to it.
struct Band {
  double loss;           // largest relative deviation of a step's loss
  double weights;        // distance in parts of the way travelled
  double agreement_pct;  // of predictions
};
constexpr Band BandOf(MathMode math) {
  return math == MathMode::kExact ? Band{1e-4, 1e-2, 99.5} : Band{2e-4, 2e-2, 99.5};
}

absl::Status Measure(const Target& target, MathMode math, const Session& session,
                     record::RunRecord& run) {
  train::TrainOptions options = session.DefaultTrainOptions();
  options.strategy.target = target;
  options.strategy.math = math;
  const absl::StatusOr<Training> training =
      TrainSteps(session, options, kSteps, run, /*untimed=*/0);
  if (!training.ok()) return training.status();
  const Oracle& oracle =
      TrainReference(session, options, training->step_losses.size(), kTestSamples);
  const double loss = LossDeviation(training->step_losses, oracle.step_losses);
  const double weights = WeightDeviation(*training->model, oracle);
  const double agreement_pct = PredictionAgreementPct(session, options, *training->model, oracle);
  run.metrics["loss_deviation"] = loss;
  run.metrics["weight_deviation"] = weights;
  run.metrics["prediction_agreement_pct"] = agreement_pct;
  const Band band = BandOf(math);
  if (loss <= band.loss && weights <= band.weights && agreement_pct >= band.agreement_pct) {
    return absl::OkStatus();
  }
  return absl::OutOfRangeError(absl::StrFormat(
      "expected a loss deviation up to %g, a weight deviation up to %g and %g %% equal "
      "predictions, found %g, %g and %g %%",
      band.loss, band.weights, band.agreement_pct, loss, weights, agreement_pct));
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  experiment.SetConfig("steps", static_cast<double>(kSteps));
  const auto name = [](const Target& target, MathMode math) {
    return absl::StrCat(kernels::Name(target), " ", std::string(kernels::Name(math)));
  };
  Table& table =
      experiment.AddTable({.title = "Deviation from the reference in double",
                           .baseline = name(AllTargets().front(), MathMode::kExact),
                           .primary = "metrics.loss_deviation",
                           .higher_is_better = false,
                           .columns = {"metrics.weight_deviation",
                                       "metrics.prediction_agreement_pct", "params.loss_band"},
                           .plots = {{.kind = "bars",
                                      .title = "Largest relative deviation of the loss in 30 steps",
                                      .y = "metrics.loss_deviation",
                                      .log_x = true}}});
  for (const Target& target : AllTargets()) {
    for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
      const Band band = BandOf(math);
      table.Add(
          {.name = name(target, math),
           .params = {{"loss_band", band.loss},
                      {"weight_band", band.weights},
                      {"agreement_band_pct", band.agreement_pct}},
           .body = [=](const Session& session,
                       record::RunRecord& run) { return Measure(target, math, session, run); },
           .skipped = WhyUnsupported(target)});
    }
  }
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "accuracy_consistency",
                .question = "Do all instruction sets and backends compute the same losses "
                            "and predictions as the reference?",
                .defaults = {.min_rounds = 2},
                .omitted_flags = {"backend", "math", "epochs"}})
