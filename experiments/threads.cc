// From one thread to all of them, on small and large batches.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "analysis/statistics.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/train.h"
#include "mlp/base/team.h"

namespace mlp::experiments {
namespace {

constexpr size_t kSteps = 100;

// All numbers up to 8, then powers of two, and all there are.
std::vector<int> Counts(int most) {
  std::vector<int> counts;
  for (int n = 1; n < most; n = n < 8 ? n + 1 : 2 * n) counts.push_back(n);
  counts.push_back(most);
  return counts;
}

// The slice on `threads` threads, between two half slices on one: efficiency is the part of the
// ideal speed-up that is reached.
absl::Status Measure(size_t batch_size, int threads, const Session& session,
                     record::RunRecord& run) {
  train::TrainOptions options = session.DefaultTrainOptions();
  options.batch_size = batch_size;
  std::vector<double> solo_step_s;
  const auto solo = [&] {
    train::TrainOptions alone = options;
    alone.strategy.threads = 1;
    record::RunRecord slice;
    const absl::Status status = TrainSteps(session, alone, kSteps / 2, slice).status();
    const std::vector<double>& step_s = slice.timings["step_s"];
    solo_step_s.insert(solo_step_s.end(), step_s.begin(), step_s.end());
    return status;
  };
  options.strategy.threads = threads;
  if (const absl::Status status = solo(); !status.ok()) return status;
  if (const auto training = TrainSteps(session, options, kSteps, run); !training.ok()) {
    return training.status();
  }
  if (const absl::Status status = solo(); !status.ok()) return status;
  // Of one thread it is 1, whatever noise the slices have.
  if (threads > 1) {
    run.metrics["efficiency_pct"] = 100 * analysis::Median(solo_step_s) /
                                    (threads * analysis::Median(run.timings.at("step_s")));
  }
  return absl::OkStatus();
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  for (const size_t batch_size : {32, 128, 512}) {
    Table& table =
        experiment.AddTable({.name = absl::StrCat("batch_", batch_size),
                             .title = absl::StrCat("Batches of ", batch_size),
                             .baseline = "threads=1",
                             .primary = "timings.samples_per_s",
                             .columns = {"timings.step_s", "metrics.efficiency_pct"},
                             .plots = {{.kind = "lines",
                                        .title = "Throughput over threads, by batch size",
                                        .x = "params.threads",
                                        .y = "timings.samples_per_s",
                                        .series = "params.batch_size"},
                                       {.kind = "bars"}}});
    // All there are: what `mlp tune` found the fastest is one of the answers.
    for (const int threads : Counts(EffectiveThreads(experiment.options().threads))) {
      table.Add({.name = absl::StrCat("threads=", threads),
                 .params = {{"threads", static_cast<double>(threads)},
                            {"batch_size", static_cast<double>(batch_size)}},
                 .body = [=](const Session& session, record::RunRecord& run) {
                   return Measure(batch_size, threads, session, run);
                 }});
    }
  }
  experiment.SetConfig("efficiency_pct",
                       "part of the ideal speed-up over one thread that is reached");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "threads",
                .question = "How does training scale with threads, at which batch size?",
                .omitted_flags = {"batch_size", "epochs"}})
