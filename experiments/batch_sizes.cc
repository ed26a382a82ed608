// Large batches make fast steps, but fewer of them: what is left is time to accuracy.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/train.h"

namespace mlp::experiments {
namespace {

constexpr size_t kEvaluationsPerEpoch = 8;

int Main(Experiment& experiment) {
  double target_accuracy = 0.95;
  experiment.flags().Group("This experiment");
  experiment.flags().Double(
      "target_accuracy", &target_accuracy,
      {.help = "of the test part, for time_to_accuracy_s", .min = 0.1, .max = 1});
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  experiment.SetConfig("target_accuracy", target_accuracy);
  Table& table = experiment.AddTable(
      {.title = "Batch sizes",
       .baseline = "batch=64",
       .primary = "timings.samples_per_s",
       .columns = {"timings.time_to_accuracy_s", "timings.step_s", "metrics.train_loss",
                   "metrics.test_accuracy", "metrics.memory_bytes"},
       .plots = {{.kind = "lines",
                  .title = "Throughput over batch size",
                  .x = "params.batch_size",
                  .y = "timings.samples_per_s",
                  .log_x = true},
                 {.kind = "lines",
                  .title = "Training time until the target accuracy",
                  .x = "params.batch_size",
                  .y = "timings.time_to_accuracy_s",
                  .log_x = true},
                 {.kind = "scatter",
                  .title = "Accuracy against throughput",
                  .x = "timings.samples_per_s",
                  .y = "metrics.test_accuracy",
                  .log_x = true},
                 {.kind = "curves",
                  .title = "Test error over training time",
                  .x = "curve.train_s",
                  .y = "curve.test_accuracy",
                  .mark = target_accuracy}},
       .claims = {{"best", "timings.samples_per_s"}, {"best", "timings.time_to_accuracy_s"}}});
  for (const size_t batch_size : {16, 32, 64, 128, 256, 512, 1024, 2048, 4096}) {
    table.Add({.name = absl::StrCat("batch=", batch_size),
               .params = {{"batch_size", static_cast<double>(batch_size)}},
               .body = [=](const Session& session, record::RunRecord& run) {
                 train::TrainOptions options = session.DefaultTrainOptions();
                 options.batch_size = batch_size;
                 return TrainEpochs(session, options, run, {kEvaluationsPerEpoch, target_accuracy})
                     .status();
               }});
  }
  experiment.SetConfig("time_to_accuracy_s",
                       "training time at the first evaluation that reaches the target accuracy");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "batch_sizes",
                .question = "Which batch size is the fastest, and which one learns the "
                            "fastest?",
                .defaults = {.epochs = 3},
                .omitted_flags = {"batch_size"}})
