// The ladder from plain loops to our own vectors, kernel by kernel and in training.
#include <functional>
#include <string>
#include <vector>

#include "experiments/harness/experiment.h"
#include "experiments/harness/kernel_timer.h"
#include "experiments/harness/ladder.h"
#include "experiments/harness/train.h"

namespace mlp::experiments {
namespace {

using kernels::MathMode;
using kernels::Target;

constexpr size_t kTrainingSteps = 60;

// Every target of the ladder as a variant.
void AddLadder(
    Experiment& experiment, record::View view,
    const std::function<absl::Status(const Target&, const Session&, record::RunRecord&)>& body) {
  view.baseline = kernels::Name(AllTargets().front());
  view.plots = {{.kind = "bars", .log_x = true}};
  Table& table = experiment.AddTable(std::move(view));
  for (const Target& target : AllTargets()) {
    table.Add({.name = kernels::Name(target),
               .params = {{"target", kernels::Name(target)},
                          {"backend", std::string(kernels::Name(target.backend))}},
               .body = [=](const Session& session,
                           record::RunRecord& run) { return body(target, session, run); },
               .skipped = WhyUnsupported(target)});
  }
}

void AddKernel(Experiment& experiment, const std::string& name, const std::string& title,
               const std::string& rate,
               const std::function<void(const Session&, const Target&, record::RunRecord&)>& time) {
  AddLadder(experiment,
            {.name = name, .title = title, .primary = "timings.call_s", .columns = {rate}},
            [time](const Target& target, const Session& session, record::RunRecord& run) {
              time(session, target, run);
              return absl::OkStatus();
            });
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  const MathMode math = experiment.train_options().strategy.math;
  AddLadder(experiment,
            {.name = "training",
             .title = "Training, all threads",
             .primary = "timings.samples_per_s",
             .columns = {"timings.step_s", "timings.epoch_s", "metrics.train_loss"}},
            [](const Target& target, const Session& session, record::RunRecord& run) {
              train::TrainOptions options = session.DefaultTrainOptions();
              options.strategy.target = target;
              // One that all targets can run.
              options.strategy.kind = train::StrategyKind::kFused;
              return TrainSteps(session, options, kTrainingSteps, run).status();
            });
  for (const auto& [product, name, title] :
       {std::tuple(GemmProduct::kForward, "gemm_forward", "Forward product 128 x 784 x 128"),
        std::tuple(GemmProduct::kInputGradient, "gemm_input_gradient",
                   "Input gradient 128 x 128 x 784"),
        std::tuple(GemmProduct::kWeightGradient, "gemm_weight_gradient",
                   "Weight gradient 784 x 128 x 128")}) {
    AddKernel(
        experiment, name, title, "timings.flop_per_s",
        [product = product](const Session& session, const Target& target, record::RunRecord& run) {
          TimeGemm(session, target, product, {}, run);
        });
  }
  for (const kernels::Activation activation :
       {kernels::Activation::kRelu, kernels::Activation::kTanh}) {
    const std::string name(kernels::Name(activation));
    AddKernel(experiment, name, name + " of 128 x 128", "timings.bytes_per_s",
              [=](const Session& session, const Target& target, record::RunRecord& run) {
                TimeActivation(session, target, math, activation, 128, run);
              });
  }
  AddKernel(experiment, "softmax", "Softmax cross-entropy of 128 x 10", "timings.bytes_per_s",
            [=](const Session& session, const Target& target, record::RunRecord& run) {
              TimeSoftmax(session, target, math, 128, run);
            });
  AddKernel(experiment, "adam", "Adam over 134,794 parameters", "timings.bytes_per_s",
            [=](const Session& session, const Target& target, record::RunRecord& run) {
              TimeAdam(session, target, math, run);
            });
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "simd_vs_scalar",
                .question = "What do vector instructions gain, over plain loops, the "
                            "compiler's own vectors and Eigen?",
                .defaults = {.batch_size = 128},
                .omitted_flags = {"backend", "epochs"}})
