// Every optimizer at a few learning rates around its usual one.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/train.h"
#include "mlp/kernels/update/update.h"

namespace mlp::experiments {
namespace {

using kernels::OptimizerKind;

constexpr EpochsOptions kEpochs = {.evaluations_per_epoch = 4, .target_accuracy = 0.95};

double UsualRate(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kSgd:
      return 1e-1;
    case OptimizerKind::kMomentum:  // As gradients add up, steps become ten times as long.
      return 1e-2;
    case OptimizerKind::kRmsProp:  // Divided by a root of squares, they are about the rate itself.
    case OptimizerKind::kAdam:
      return 1e-3;
  }
  __builtin_unreachable();
}

std::string VariantName(OptimizerKind kind, double rate) {
  return absl::StrCat(std::string(kernels::Name(kind)), " ", rate);
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  Table& table = experiment.AddTable(
      {.title = "Optimizers and learning rates",
       .baseline = VariantName(OptimizerKind::kAdam, UsualRate(OptimizerKind::kAdam)),
       .primary = "metrics.test_accuracy",
       .higher_is_better = true,
       .columns = {"timings.time_to_accuracy_s", "metrics.test_loss", "metrics.train_loss",
                   "timings.epoch_s", "timings.step_s"},
       .plots =
           {{.kind = "curves", .title = "Training loss", .y = "curve.train_loss", .log_y = true},
            {.kind = "curves",
             .title = "Test error",
             .y = "curve.test_accuracy",
             .mark = kEpochs.target_accuracy},
            {.kind = "bars", .title = "Test accuracy", .y = "metrics.test_accuracy"}},
       .claims = {{"best", "timings.time_to_accuracy_s"}, {"best", "metrics.test_accuracy"}}});
  for (const OptimizerKind kind : kernels::kOptimizerKinds) {
    for (const double factor : {0.3, 1.0, 3.0}) {
      const double rate = factor * UsualRate(kind);
      table.Add(
          {.name = VariantName(kind, rate),
           .params = {{"optimizer", std::string(kernels::Name(kind))}, {"learning_rate", rate}},
           .body = [=](const Session& session, record::RunRecord& run) {
             train::TrainOptions options = session.DefaultTrainOptions();
             options.optimizer.kind = kind;
             options.optimizer.learning_rate = rate;
             return TrainEpochs(session, options, run, kEpochs).status();
           }});
    }
  }
  // Accuracy is asked for, and with equal seeds it is equal to the last bit.
  table.OmitBaselineAgain();
  experiment.SetConfig("target_accuracy", kEpochs.target_accuracy);
  experiment.SetConfig("time_to_accuracy_s",
                       "training time at the first evaluation that reaches the target accuracy");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "optimizers",
                .question = "Which optimizer learns the fastest, and how much does its "
                            "learning rate matter?",
                .defaults = {.epochs = 5},
                .omitted_flags = {"optimizer", "learning_rate"}})
