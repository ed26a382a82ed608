// Derivatives of scalar programs: this project's tape beside ADOL-C, the textbook, and the program
// without derivatives.
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/autodiff/engines.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/kernel_timer.h"
#include "experiments/harness/timed_command.h"
#include "mlp/base/denormals.h"
#include "mlp/base/largest_error.h"
#include "mlp/base/status_macros.h"
#include "mlp/kernels/target.h"

namespace mlp::experiments {
namespace {

constexpr size_t kDagOps = 1'000'000;
constexpr size_t kSmokeDagOps = 16'000;

using autodiff::DagJob;
using autodiff::Engine;
using autodiff::SampleJob;
// The engines of one job; made anew for each run, so that each stands alone in memory.
using Make = std::function<std::vector<Engine>(bool smoke, uint64_t seed)>;
// The elementary operations of a job.
using Nodes = std::function<double(bool smoke)>;

std::vector<Engine> Both(std::vector<Engine> own, std::vector<Engine> others) {
  own.insert(own.end(), others.begin(), others.end());
  return own;
}

std::vector<Engine> SampleEngines(bool, uint64_t seed) {
  const auto job = std::make_shared<SampleJob>(seed);
  return Both(autodiff::OwnSampleEngines(job), autodiff::AdolcSampleEngines(job));
}

std::vector<Engine> DagEngines(bool smoke, uint64_t seed) {
  const auto job = std::make_shared<DagJob>(smoke ? kSmokeDagOps : kDagOps, seed);
  return Both(autodiff::OwnDagEngines(job), autodiff::AdolcDagEngines(job));
}

const Engine& Find(const std::vector<Engine>& engines, const std::string& name) {
  return *std::ranges::find(engines, name, &Engine::name);
}

// Largest |gradient - textbook's|, in parts of the largest of these.
double GradientDeviation(const std::vector<double>& gradient, const std::vector<double>& expected) {
  double largest = 0;
  LargestError deviation;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    deviation.Add(std::abs(gradient[i] - expected[i]));
  }
  return deviation.value() / largest;
}

absl::Status Measure(const std::string& name, const Make& make, const Nodes& nodes_of,
                     const Session& session, record::RunRecord& run) {
  const ScopedFlushDenormals flush;
  const std::vector<Engine> engines = make(session.smoke(), session.seed());
  const Engine& engine = Find(engines, name);
  const double nodes = nodes_of(session.smoke());
  if (engine.seconds) {
    MLP_ASSIGN_OR_RETURN(const double sample_s, engine.seconds());
    run.timings["sample_s"].push_back(sample_s);
    run.timings["node_s"].push_back(sample_s / nodes);
    return absl::OkStatus();
  }
  run.resolved["tape"] = kernels::Name({kernels::Backend::kAutovec, BestIsa()});
  run.params["threads"] = 1.0;
  TimeCalls(
      session, {}, [&] { engine.run(); }, run);
  const auto samples = static_cast<double>(engine.samples);
  for (const double call_s : run.timings["call_s"]) {
    run.timings["sample_s"].push_back(call_s / samples);
    run.timings["node_s"].push_back(call_s / samples / nodes);
  }
  run.timings.erase("call_s");
  if (engine.bytes) run.metrics["bytes_per_node"] = engine.bytes() / samples / nodes;
  if (engine.gradient) {
    const std::vector<double> gradient = engine.gradient();
    const Engine& textbook = Find(engines, "textbook");
    textbook.run();
    run.metrics["gradient_deviation"] = GradientDeviation(gradient, textbook.gradient());
  }
  return absl::OkStatus();
}

void AddEngines(Table& table, const Make& make, const Nodes& nodes) {
  for (const Engine& engine : make(/*smoke=*/true, /*seed=*/1)) {
    table.Add({.name = engine.name,
               .params = {},
               .body =
                   [=, name = engine.name](const Session& session, record::RunRecord& run) {
                     return Measure(name, make, nodes, session, run);
                   },
               .skipped = engine.skipped});
  }
}

absl::StatusOr<std::vector<Engine>> CommandEngines(const std::vector<std::string>& texts) {
  MLP_ASSIGN_OR_RETURN(const std::vector<TimedCommand> commands, ParseTimedCommands(texts));
  std::vector<std::string> taken;
  for (const Engine& engine : SampleEngines(/*smoke=*/true, /*seed=*/1)) {
    taken.push_back(engine.name);
  }
  MLP_RETURN_IF_ERROR(CheckNames(commands, taken));
  std::vector<Engine> engines;
  for (const TimedCommand& command : commands) {
    engines.push_back({.name = command.name, .seconds = [command] { return command.Seconds(); }});
  }
  return engines;
}

int Main(Experiment& experiment) {
  std::vector<std::string> commands;
  experiment.flags().Group("Engines");
  experiment.flags().StringList(
      "command", &commands,
      {.help = "one more for the sample: a program that differentiates it and prints how many us "
               "that took; its gradient is not checked",
       .value_name = "NAME=COMMAND"});
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  const absl::StatusOr<std::vector<Engine>> others = CommandEngines(commands);
  if (!others.ok()) {
    absl::FPrintF(stderr, "autodiff_engines: %s\n", others.status().message());
    return 2;
  }
  const auto view = [](const char* name, const char* title) {
    return record::View{
        .name = name,
        .title = title,
        .baseline = "values",
        .primary = "timings.sample_s",
        .columns = {"timings.node_s", "metrics.bytes_per_node", "metrics.gradient_deviation"},
        .plots = {{.kind = "bars", .log_x = true}}};
  };
  AddEngines(
      experiment.AddTable(view("sample", "Loss and gradient of one sample of 784-16-10")),
      [=](bool smoke, uint64_t seed) { return Both(SampleEngines(smoke, seed), *others); },
      [](bool) { return SampleJob::kNodes; });
  AddEngines(experiment.AddTable(view("graph", "A random graph of a million ops")), DagEngines,
             [](bool smoke) { return DagJob::Nodes(smoke ? kSmokeDagOps : kDagOps); });
  experiment.SetConfig("gradient_deviation",
                       "largest difference from the textbook's gradient, in parts of its largest "
                       "number");
  experiment.SetConfig("node_s", "an elementary operation as a micrograd records it");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "autodiff_engines",
                .question = "What do derivatives of scalar programs cost, beside the program and "
                            "beside ADOL-C?",
                .defaults = {.model = "784-16-10"},
                .omitted_flags = {"backend", "batch_size", "epochs", "learning_rate", "math",
                                  "optimizer"}})
