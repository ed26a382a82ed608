// Answers without delay and answers by the thousand: from one row to 4096, with and without the
// products of what is 0.
#include "mlp/engine/inference.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "analysis/statistics.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/kernel_timer.h"
#include "experiments/harness/oracle.h"
#include "experiments/harness/timed_command.h"
#include "mlp/base/largest_error.h"
#include "mlp/base/status_macros.h"
#include "mlp/engine/batch.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/model/textbook.h"

namespace mlp::experiments {
namespace {

constexpr size_t kComparedRows = 32;

// What logits may differ by from the reference's, in parts of the largest: sums of a thousand
// terms in single precision, and weights rounded to the 8 bits of a bfloat16.
constexpr double kFloatBound = 1e-4;
constexpr double kBf16Bound = 5e-2;

struct Setting {
  kernels::Target target;
  size_t batch;
  int threads;
  bool skip_zeros;
  bool bf16_weights = false;
};

// Largest |logit - reference's| in the first rows, in parts of the largest logit.
double LogitDeviation(const Session& session, const model::Model& model,
                      engine::Inference& engine) {
  const data::Examples& test = session.dataset().test;
  std::vector<uint32_t> rows(std::min(kComparedRows, test.size));
  std::iota(rows.begin(), rows.end(), 0);
  const reference::Matrix expected =
      model::Textbook(model.spec(), model.parameters()).Forward(InputsOf(test, rows));
  double largest = 0;
  for (const double logit : expected.data) largest = std::max(largest, std::abs(logit));
  LargestError deviation;
  for (size_t begin = 0; begin < rows.size(); begin += engine.max_batch()) {
    const size_t n = std::min(engine.max_batch(), rows.size() - begin);
    engine.Predict(engine::Inputs::Of(test, std::span(rows).subspan(begin, n)));
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < expected.cols; ++j) {
        deviation.Add(std::abs(engine.logits()(i, j) - expected(begin + i, j)) / largest);
      }
    }
  }
  return deviation.value();
}

absl::Status Measure(const Setting& setting, const Session& session, record::RunRecord& run) {
  const model::Model model(session.model(), session.seed());
  const data::Examples& test = session.dataset().test;
  if (test.features != model.inputs()) {
    return absl::InvalidArgumentError(absl::StrCat("--model: expected an input width of ",
                                                   test.features, " for ", session.dataset().name,
                                                   ", found ", model.inputs()));
  }
  const size_t batch = setting.batch;
  if (batch > test.size) {
    run.status = record::RunStatus::kSkipped;
    run.message = absl::StrCat("the test part has only ", test.size, " samples");
    return absl::OkStatus();
  }
  const kernels::KernelSet& kernels = kernels::KernelsFor(setting.target);
  for (const auto& [family, implementation] : kernels::Resolved(kernels)) {
    if (family == "gemv" || family == "panel") run.resolved[family] = implementation;
  }
  engine::Inference engine(model, kernels,
                           {.max_batch = batch,
                            .threads = setting.threads,
                            .skip_zeros = setting.skip_zeros,
                            .bf16_weights = setting.bf16_weights});
  const double deviation = LogitDeviation(session, model, engine);
  run.metrics["logit_deviation"] = deviation;
  const double bound = setting.bf16_weights ? kBf16Bound : kFloatBound;
  if (!(deviation <= bound)) {
    return absl::OutOfRangeError(absl::StrFormat(
        "expected logits within %g of the reference's, found %g", bound, deviation));
  }
  run.metrics["memory_bytes"] = static_cast<double>(engine.bytes());
  std::vector<uint32_t> rows(test.size);
  std::iota(rows.begin(), rows.end(), 0);
  size_t next = 0;
  TimeCalls(
      session, {},
      [&] {
        if (next + batch > rows.size()) next = 0;
        engine.Predict(engine::Inputs::Of(test, std::span(rows).subspan(next, batch)));
        next += batch;
      },
      run);
  run.timings["samples_per_s"] = {static_cast<double>(batch) /
                                  analysis::Median(run.timings["call_s"])};
  return absl::OkStatus();
}

void AddVariant(Table& table, const std::string& name, const Setting& setting) {
  table.Add({.name = name,
             .params = {{"target", kernels::Name(setting.target)},
                        {"batch_size", static_cast<double>(setting.batch)},
                        {"threads", static_cast<double>(setting.threads)},
                        {"skip_zeros", setting.skip_zeros},
                        {"bf16_weights", setting.bf16_weights},
                        {"path", absl::StrCat(setting.skip_zeros ? "skip_zeros" : "dense", ", ",
                                              setting.threads,
                                              setting.threads == 1 ? " thread" : " threads")}},
             .body = [=](const Session& session, record::RunRecord& run) {
               return Measure(setting, session, run);
             }});
}

// Another program, which times itself.
void AddCommand(Table& table, const TimedCommand& command) {
  table.Add({.name = command.name,
             .params = {},
             .body = [=](const Session&, record::RunRecord& run) -> absl::Status {
               MLP_ASSIGN_OR_RETURN(const double seconds, command.Seconds());
               run.timings["call_s"] = {seconds};
               return absl::OkStatus();
             }});
}

int Main(Experiment& experiment) {
  std::vector<std::string> texts;
  experiment.flags().Group("Programs");
  experiment.flags().StringList(
      "command", &texts,
      {.help = "one more that answers one row: it prints how many us that took; what it answers "
               "is not checked",
       .value_name = "NAME=COMMAND"});
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  const train::StrategyOptions& options = experiment.train_options().strategy;
  std::vector<kernels::Target> targets;
  for (const kernels::Target& target : kernels::SupportedTargets()) {
    if (kernels::KernelsFor(target).gemv != nullptr) targets.push_back(target);
  }
  const auto name_of = [](const kernels::Target& target, bool skip_zeros,
                          bool bf16_weights = false) {
    return absl::StrCat(kernels::Name(target), skip_zeros ? ", skip_zeros" : "",
                        bf16_weights ? ", bf16 weights" : "");
  };
  Table& latency = experiment.AddTable({.name = "latency",
                                        .title = "One row on one thread",
                                        .baseline = name_of(targets.front(), false),
                                        .primary = "timings.call_s",
                                        .columns = {"metrics.logit_deviation"},
                                        .plots = {{.kind = "bars"}}});
  std::vector<std::string> names;
  for (const kernels::Target& target : targets) {
    for (const bool skip_zeros : {false, true}) {
      for (const bool bf16_weights : {false, true}) {
        names.push_back(name_of(target, skip_zeros, bf16_weights));
        AddVariant(latency, names.back(), {target, 1, 1, skip_zeros, bf16_weights});
      }
    }
  }

  const absl::StatusOr<std::vector<TimedCommand>> commands = ParseTimedCommands(texts);
  const absl::Status status = commands.ok() ? CheckNames(*commands, names) : commands.status();
  if (!status.ok()) {
    absl::FPrintF(stderr, "inference: %s\n", status.message());
    return 2;
  }
  for (const TimedCommand& command : *commands) AddCommand(latency, command);

  Table& batches = experiment.AddTable({.name = "batches",
                                        .title = "Batches",
                                        .baseline = "dense, 1 thread, batch=1",
                                        .primary = "timings.samples_per_s",
                                        .columns = {"timings.call_s", "metrics.memory_bytes"},
                                        .plots = {{.kind = "lines",
                                                   .title = "Predictions over batch size",
                                                   .x = "params.batch_size",
                                                   .y = "timings.samples_per_s",
                                                   .series = "params.path",
                                                   .log_x = true},
                                                  {.kind = "lines",
                                                   .title = "Time of a call over batch size",
                                                   .x = "params.batch_size",
                                                   .y = "timings.call_s",
                                                   .series = "params.path",
                                                   .log_x = true,
                                                   .log_y = true}}});
  std::vector<int> teams = {1};
  if (options.threads > 1) teams.push_back(options.threads);
  for (const int threads : teams) {
    for (const bool skip_zeros : {false, true}) {
      for (const size_t batch : {1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096}) {
        AddVariant(batches,
                   absl::StrCat(skip_zeros ? "skip_zeros" : "dense", ", ", threads,
                                threads == 1 ? " thread" : " threads", ", batch=", batch),
                   {options.target, batch, threads, skip_zeros});
      }
    }
  }
  experiment.SetConfig(
      "logit_deviation",
      "largest difference from the reference's logits, in parts of the largest of these");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "inference",
                .question = "How fast does a model answer, one row at a time and in batches, and "
                            "what do zeros and weights of bfloat16 save?",
                .omitted_flags = {"batch_size", "epochs", "learning_rate", "optimizer"}})
