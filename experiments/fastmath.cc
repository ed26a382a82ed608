// Exact against fast math: in whole trainings, and kernel by kernel against double.
#include <cmath>
#include <deque>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/kernel_timer.h"
#include "experiments/harness/oracle.h"
#include "experiments/harness/train.h"
#include "mlp/base/largest_error.h"
#include "mlp/base/status_macros.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/softmax/softmax.h"
#include "mlp/kernels/update/update.h"
#include "mlp/optim/optimizer.h"
#include "mlp/reference/activation.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/optimizer.h"
#include "mlp/reference/softmax.h"

namespace mlp::experiments {
namespace {

using kernels::Activation;
using kernels::MathMode;

// All of them: what exact and fast math come to drifts apart.
constexpr EpochsOptions kEveryLoss = {.step_losses = std::numeric_limits<size_t>::max()};

constexpr MathMode kModes[] = {MathMode::kExact, MathMode::kFast};

// What exact math comes to, for the deviation of the others.
struct ExactRun {
  uint64_t seed = 0;
  std::vector<double> step_losses;
  std::vector<int> predictions;
};

// Kept for the other variants of the repetition.
absl::StatusOr<const ExactRun*> TrainExact(const Session& session) {
  static std::deque<ExactRun> kept;
  for (const ExactRun& run : kept) {
    if (run.seed == session.seed()) return &run;
  }
  train::TrainOptions options = session.DefaultTrainOptions();
  options.strategy.math = MathMode::kExact;
  record::RunRecord unused;
  MLP_ASSIGN_OR_RETURN(const Training training, TrainEpochs(session, options, unused, kEveryLoss));
  if (kept.size() == 2) kept.pop_front();
  kept.push_back({session.seed(), training.step_losses,
                  Predictions(session, options, *training.model, session.dataset().test.size)});
  return &kept.back();
}

absl::Status MeasureTraining(MathMode math, const Session& session, record::RunRecord& run) {
  train::TrainOptions options = session.DefaultTrainOptions();
  options.strategy.math = math;
  MLP_ASSIGN_OR_RETURN(const Training training, TrainEpochs(session, options, run, kEveryLoss));
  MLP_ASSIGN_OR_RETURN(const ExactRun* const exact, TrainExact(session));
  run.metrics["loss_deviation"] = LossDeviation(training.step_losses, exact->step_losses);
  const std::vector<int> predictions =
      Predictions(session, options, *training.model, exact->predictions.size());
  size_t differing = 0;
  for (size_t i = 0; i < predictions.size(); ++i) {
    differing += predictions[i] != exact->predictions[i];
  }
  run.metrics["differing_predictions_pct"] =
      100 * static_cast<double>(differing) / static_cast<double>(predictions.size());
  return absl::OkStatus();
}

// Largest errors against double, over pairs (computed, true). Aborted where a computed value is no
// finite number.
absl::Status SetErrors(record::RunRecord& run, size_t n,
                       absl::FunctionRef<std::pair<double, double>(size_t)> pair) {
  LargestError absolute, relative;
  for (size_t i = 0; i < n; ++i) {
    const auto [computed, truth] = pair(i);
    absolute.Add(std::abs(computed - truth));
    if (truth != 0) relative.Add(std::abs((computed - truth) / truth));
  }
  run.metrics["max_absolute_error"] = absolute.value();
  run.metrics["max_relative_error"] = relative.value();
  if (std::isfinite(absolute.value())) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("errors: expected finite numbers, found ", absolute.value()));
}

kernels::Context ContextOf(const Session& session, MathMode math) {
  return kernels::SoloContext(session.DefaultTrainOptions().strategy.target, math);
}

absl::Status MeasureActivation(Activation activation, MathMode math, const Session& session,
                               record::RunRecord& run) {
  constexpr size_t kCenter = 20000;
  constexpr size_t kPoints = 2 * kCenter + 1;
  TestMatrix x(1, kPoints, 0, 0), y(1, kPoints, 0, 0);
  for (size_t i = 0; i < kPoints; ++i) {
    x.view()(0, i) = (static_cast<float>(i) - static_cast<float>(kCenter)) * 5e-4f;  // -10 .. 10
  }
  kernels::Activate(ContextOf(session, math), activation, x.view(), y.view());
  const auto reference = *reference::ActivationByName(kernels::Name(activation));
  MLP_RETURN_IF_ERROR(SetErrors(run, kPoints, [&](size_t i) {
    return std::pair<double, double>(y.view()(0, i),
                                     reference::Activate(reference, x.view()(0, i)));
  }));
  TimeActivation(session, session.DefaultTrainOptions().strategy.target, math, activation, 128,
                 run);
  return absl::OkStatus();
}

absl::Status MeasureSoftmax(MathMode math, const Session& session, record::RunRecord& run) {
  constexpr size_t kRows = 4096, kClasses = 10;
  TestMatrix logits(kRows, kClasses, -8, 8, session.seed()), p(kRows, kClasses, 0, 0);
  kernels::Softmax(ContextOf(session, math), logits.view(), p.view());
  reference::Matrix z(kRows, kClasses);
  for (size_t i = 0; i < kRows; ++i) {
    for (size_t j = 0; j < kClasses; ++j) z(i, j) = logits.view()(i, j);
  }
  const reference::Matrix truth = reference::Softmax(z);
  MLP_RETURN_IF_ERROR(SetErrors(run, kRows * kClasses, [&](size_t i) {
    return std::pair<double, double>(p.view()(i / kClasses, i % kClasses), truth.data[i]);
  }));
  TimeSoftmax(session, session.DefaultTrainOptions().strategy.target, math, 128, run);
  return absl::OkStatus();
}

// Ten steps from the same start; errors are those of the way travelled.
absl::Status MeasureAdam(MathMode math, const Session& session, record::RunRecord& run) {
  constexpr size_t kParameters = 4096;
  constexpr int kSteps = 10;
  AlignedBuffer<float> parameters(kParameters);
  std::vector<double> truth(kParameters);
  optim::Optimizer optimizer({}, kParameters);
  reference::Adam adam({});
  for (int step = 0; step < kSteps; ++step) {
    TestMatrix gradient(1, kParameters, -1e-2f, 1e-2f, 100 + static_cast<uint64_t>(step));
    const std::span<const float> g(gradient.view().row(0), kParameters);
    optimizer.BeginStep();
    kernels::Update(ContextOf(session, math), optimizer.options().kind, optimizer.step(),
                    optimizer.Spans({0, kParameters}, parameters.span(), g));
    adam.Step({g.begin(), g.end()}, truth);
  }
  MLP_RETURN_IF_ERROR(SetErrors(run, kParameters, [&](size_t i) {
    return std::pair<double, double>(parameters[i], truth[i]);
  }));
  TimeAdam(session, session.DefaultTrainOptions().strategy.target, math, run);
  return absl::OkStatus();
}

using Measure = std::function<absl::Status(MathMode, const Session&, record::RunRecord&)>;

// A table of exact against fast.
void AddModes(Experiment& experiment, record::View view, const Measure& body) {
  view.baseline = std::string(kernels::Name(MathMode::kExact));
  Table& table = experiment.AddTable(std::move(view));
  for (const MathMode math : kModes) {
    table.Add({.name = std::string(kernels::Name(math)),
               .params = {{"math", std::string(kernels::Name(math))}},
               .body = [=](const Session& session, record::RunRecord& run) {
                 return body(math, session, run);
               }});
  }
}

void AddKernel(Experiment& experiment, const std::string& name, const Measure& measure) {
  AddModes(experiment,
           {.name = name,
            .title = absl::StrCat("Kernel ", name, ", one thread"),
            .primary = "timings.call_s",
            .columns = {"timings.bytes_per_s", "metrics.max_absolute_error",
                        "metrics.max_relative_error"},
            .plots = {{.kind = "bars"}}},
           measure);
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  AddModes(experiment,
           {.name = "training",
            .title = "Training",
            .primary = "timings.samples_per_s",
            .columns = {"timings.step_s", "metrics.train_loss", "metrics.test_accuracy",
                        "metrics.loss_deviation", "metrics.differing_predictions_pct"},
            .plots = {{.kind = "bars"}}},
           MeasureTraining);
  for (const Activation activation : {Activation::kTanh, Activation::kSigmoid, Activation::kSilu}) {
    AddKernel(experiment, std::string(kernels::Name(activation)),
              [activation](MathMode math, const Session& session, record::RunRecord& run) {
                return MeasureActivation(activation, math, session, run);
              });
  }
  AddKernel(experiment, "softmax", MeasureSoftmax);
  AddKernel(experiment, "adam", MeasureAdam);
  experiment.SetConfig("loss_deviation",
                       "largest relative difference of a step's loss from exact math's");
  experiment.SetConfig("max_relative_error", "against double, where that is not 0");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "fastmath",
                .question = "How much does fast math gain, and what does it cost in accuracy?",
                .defaults = {.epochs = 1},
                .omitted_flags = {"math"}})
