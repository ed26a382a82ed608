// How accurate a training comes out, over ten seeds if the budget has room for them. Repetition r
// has seed --seed + r.
#include <string>

#include "absl/strings/str_cat.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/train.h"

namespace mlp::experiments {
namespace {

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  Table& table = experiment.AddTable(
      {.title = "Accuracy over seeds",
       .baseline = "batch=64",
       .primary = "metrics.test_accuracy",
       .higher_is_better = true,
       .columns = {"metrics.test_loss", "metrics.train_loss", "timings.epoch_s"},
       .plots = {{.kind = "curves", .title = "Test error", .y = "curve.test_accuracy"}},
       .claims = {{"spread", "metrics.test_accuracy"}}});
  for (const size_t batch_size : {64, 128}) {
    table.Add({.name = absl::StrCat("batch=", batch_size),
               .params = {{"batch_size", static_cast<double>(batch_size)}},
               .body = [=](const Session& session, record::RunRecord& run) {
                 train::TrainOptions options = session.DefaultTrainOptions();
                 options.batch_size = batch_size;
                 return TrainEpochs(session, options, run).status();
               }});
  }
  // Accuracy is asked for, and with equal seeds it is equal to the last bit.
  table.OmitBaselineAgain();
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "seeds",
                .question = "How accurate is the default training, and how much does the "
                            "seed matter?",
                .defaults = {.epochs = 5, .budget_s = 120, .max_rounds = 10},
                .omitted_flags = {"batch_size", "work"}})
