// A net of scalar values beside the vectorised one: the same digits, weights and steps.
//
// quick is a look at it: 50 samples, 3 epochs. full trains on all samples, or the part that --work
// leaves.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/train.h"
#include "experiments/harness/work.h"
#include "experiments/value_mlp_reference.h"
#include "mlp/autograd/inspect.h"
#include "mlp/autograd/net_spec.h"
#include "mlp/autograd/training.h"
#include "mlp/base/denormals.h"
#include "mlp/base/names.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/timer.h"
#include "mlp/data/batcher.h"
#include "mlp/flags/paths.h"
#include "mlp/io/atomic_file.h"
#include "mlp/io/replace.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/optim/schedule_flags.h"
#include "mlp/train/trainer.h"

namespace mlp::experiments {
namespace {

constexpr size_t kQuickTrain = 50;
constexpr size_t kQuickTest = 20;
constexpr size_t kEvaluated = 10000;  // at most, of the training part
constexpr size_t kGradientRows = 32;  // whose mean gradient tells how it flows
constexpr size_t kPackedBatch = 16;

struct Mode {
  bool quick = true;
  bool talk = true;
  std::string graph;  // a file for the graph of one sample; "": none
  autograd::NetSpec net = autograd::MakeNetSpec({1, 1}, autograd::Activation::kRelu);
  optim::ScheduleOptions schedule = {};
  double l2 = 0;
  double dropout = 0;
};

// Graphs in Graphviz's language.
constexpr io::FileKind kGraphFile = {"graph of a tape", "digraph tape {"};

// What this mode trains on and is asked about.
data::Dataset DataOf(const data::Dataset& all, const Mode& mode) {
  data::Dataset part;
  part.name = all.name;
  part.rows = all.rows;
  part.cols = all.cols;
  part.classes = all.classes;
  part.train = FirstSamples(all.train, mode.quick ? kQuickTrain : all.train.size);
  part.test = FirstSamples(all.test, mode.quick ? kQuickTest : all.test.size);
  return part;
}

std::vector<uint32_t> FirstRows(const data::Examples& examples, size_t most) {
  std::vector<uint32_t> rows(std::min(examples.size, most));
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

autograd::TrainingOptions ValueOptions(const Mode& mode, const Session& session) {
  autograd::TrainingOptions values;
  values.widths = mode.net.widths;
  values.activations = mode.net.activations;
  values.optimizer = session.DefaultTrainOptions().optimizer;
  values.seed = session.seed();
  values.l2 = mode.l2;
  values.dropout = mode.dropout;
  return values;
}

// The vectorised net of that spec; where it has no such activation, one that takes the same data.
model::ModelSpec Vectorised(const autograd::NetSpec& net) {
  model::ModelSpec model;
  model.inputs = net.widths.front();
  for (size_t i = 1; i < net.widths.size(); ++i) model.layers.push_back({net.widths[i]});
  for (size_t i = 0; i < net.activations.size(); ++i) {
    model.layers[i].activation =
        net.activations[i].vectorised().value_or(kernels::Activation::kIdentity);
  }
  return model;
}

// Why the vectorised variants cannot run; "" if they can.
std::string WhyNotVectorised(const Mode& mode) {
  const auto alone = [](absl::string_view what) {
    return absl::StrCat("only nets of values have ", what);
  };
  for (const autograd::Activation activation : mode.net.activations) {
    if (!activation.vectorised()) return alone(Name(activation));
  }
  if (mode.l2 > 0) return alone("l2");
  return mode.dropout > 0 ? alone("dropout") : "";
}

void Tell(const Mode& mode, const Session& session, const std::string& variant,
          const std::map<std::string, double>& epoch, size_t epochs) {
  if (!mode.talk || session.repetition() != 0) return;
  const auto deviation = epoch.find("step_deviation");
  absl::FPrintF(stderr,
                "%-24s epoch %.0f/%d: loss %.4f, train accuracy %.1f %%, test accuracy %.1f %%, "
                "%.4g ms%s\n",
                variant, epoch.at("epoch"), epochs, epoch.at("train_loss"),
                100 * epoch.at("train_accuracy"), 100 * epoch.at("test_accuracy"),
                1e3 * epoch.at("epoch_s"),
                deviation == epoch.end()
                    ? ""
                    : absl::StrFormat("; each step within %.1e of the reference's, the first %.0f "
                                      "together within %.0e",
                                      deviation->second, epoch.at("agreeing_steps"), kRounding));
}

void Finish(size_t samples, record::RunRecord& run) {
  for (const auto& epoch : run.curve) {
    run.timings["epoch_s"].push_back(epoch.at("epoch_s"));
    run.timings["samples_per_s"].push_back(static_cast<double>(samples) / epoch.at("epoch_s"));
  }
  for (const char* key : {"train_loss", "train_accuracy", "test_accuracy"}) {
    run.metrics[key] = run.curve.back().at(key);
  }
}

// A micrograd's nodes for one sample: two for each weight, an activation, and the loss.
double NodesOfASample(const autograd::NetSpec& net) {
  double nodes = 2;
  for (size_t i = 0; i + 1 < net.widths.size(); ++i) {
    nodes += 2.0 * static_cast<double>(net.widths[i] * net.widths[i + 1]);
    nodes += static_cast<double>(net.widths[i + 1]) * (i + 2 < net.widths.size() ? 1 : 2);
  }
  return nodes;
}

// What backpropagation by matrices keeps of one sample: each unit's output and its gradient, and
// what the activation got where its slope does not follow from the output.
double VectorisedBytesOfASample(const model::ModelSpec& model) {
  double bytes = 0;
  for (const model::DenseSpec& layer : model.layers) {
    const double numbers = kernels::SlopeFromOutput(layer.activation) ? 2 : 3;
    bytes += numbers * sizeof(float) * static_cast<double>(layer.units);
  }
  return bytes;
}

// The loss of the first sample as a graph, each value with its gradient.
absl::Status WriteGraph(const std::string& path, const data::Dataset& dataset,
                        autograd::ValueTraining<double>& training) {
  const uint32_t first = 0;
  const auto logits = training.Logits(dataset.train, {&first, 1});
  autograd::DotOptions options;
  options.gradients = true;
  for (size_t k = 0; k < logits.size(); ++k) {
    options.names[logits[k].id()] = absl::StrCat("logit ", k);
  }
  const autograd::Value<double> loss =
      autograd::softmax_cross_entropy<double>(logits, dataset.train.labels[first]);
  options.names[loss.id()] = "loss";
  training.tape().Backward(loss);
  return io::WriteFileAtomically(path, autograd::ToDot(training.tape(), loss, options));
}

// What was compared is what was timed, and is right.
absl::Status CheckComparison(const std::vector<double>& weights,
                             const ReferenceComparison& comparison) {
  if (weights != comparison.weights()) {
    return absl::InternalError("the same steps led to other weights when they were repeated");
  }
  // Rounding errors are parts of what is rounded.
  double largest = 0;
  for (const double weight : weights) largest = std::max(largest, std::abs(weight));
  const double tolerated = kRounding * std::max(1.0, largest);
  if (comparison.step_deviation() <= tolerated) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(
      "a step from the same weights as the reference: expected the same weights within ", tolerated,
      ", found ", comparison.step_deviation(), " beside a largest weight of ", largest));
}

template <class T>
absl::Status TrainValues(const Mode& mode, const std::string& name, size_t batch_size,
                         const Session& session, record::RunRecord& run) {
  const ScopedFlushDenormals flush;
  const data::Dataset dataset = DataOf(session.dataset(), mode);
  const autograd::TrainingOptions options = ValueOptions(mode, session);
  MLP_RETURN_IF_ERROR(autograd::Validate(options));
  autograd::ValueTraining<T> training(options);
  run.resolved["tape"] = kernels::Name({kernels::Backend::kAutovec, BestIsa()});
  const std::vector<uint32_t> rows = FirstRows(dataset.train, dataset.train.size);
  const std::vector<uint32_t> seen = FirstRows(dataset.train, kEvaluated);
  const std::vector<uint32_t> test = FirstRows(dataset.test, dataset.test.size);
  data::Batcher batcher(rows, batch_size, data::LastBatch::kKeep, session.seed());
  const size_t epochs = session.DefaultTrainOptions().epochs;
  // Calls train(rows, learning rate) for each step of the epoch.
  const auto each_step = [&](size_t epoch, auto train) {
    batcher.StartEpoch(static_cast<uint32_t>(epoch));
    size_t step = (epoch - 1) * batcher.steps_per_epoch();
    for (auto batch = batcher.Next(); !batch.empty(); batch = batcher.Next()) {
      train(batch,
            options.optimizer.learning_rate *
                optim::ScheduleFactor(mode.schedule, {step++, batcher.steps_per_epoch(), epochs}));
    }
  };
  // Takes the same steps after the clock has stopped; once, as it is slow.
  std::optional<ReferenceComparison> comparison;
  // The reference knows nothing of what dropout leaves out.
  if (std::is_same_v<T, double> && session.repetition() == 0 && mode.dropout == 0) {
    comparison.emplace(options);
  }
  for (size_t epoch = 1; epoch <= epochs; ++epoch) {
    Timer timer;
    double loss = 0;
    each_step(epoch, [&](std::span<const uint32_t> batch, double rate) {
      training.set_learning_rate(rate);
      loss += training.TrainStep(dataset.train, batch) * static_cast<double>(batch.size());
    });
    auto& entry = run.curve.emplace_back();
    entry = {{"epoch", static_cast<double>(epoch)},
             {"epoch_s", timer.Seconds()},
             {"train_loss", loss / static_cast<double>(rows.size())}};
    if (!std::isfinite(loss)) {
      return absl::AbortedError(
          absl::StrCat("epoch ", epoch, ": the loss is no longer a finite number, first by ",
                       training.first_non_finite(), "; training diverged: lower --learning_rate"));
    }
    entry["train_accuracy"] = training.Evaluate(dataset.train, seen);
    entry["test_accuracy"] = training.Evaluate(dataset.test, test);
    // How the gradient flows: its root mean square in each layer.
    const auto few = std::span(rows).first(std::min(kGradientRows, rows.size()));
    for (size_t i = 0; i < few.size(); i += training.kWidth) {
      const auto group = few.subspan(i, std::min(training.kWidth, few.size() - i));
      training.Record(dataset.train, group, 1.0 / static_cast<double>(few.size()));
    }
    for (size_t i = 0; i < training.net().layers().size(); ++i) {
      const auto leaves = training.net().layers()[i].parameters();
      double squares = 0;
      for (const auto g : training.net().gradients().subspan(
               leaves.first() - training.net().parameters().first(), leaves.size())) {
        squares += static_cast<double>(g) * static_cast<double>(g);
      }
      entry[absl::StrCat("gradient_layer_", i + 1)] =
          std::sqrt(squares / static_cast<double>(leaves.size()));
    }
    training.net().ZeroGradients();
    if (comparison) {
      each_step(epoch, [&](std::span<const uint32_t> batch, double rate) {
        comparison->TrainStep(dataset.train, batch, rate);
      });
      MLP_RETURN_IF_ERROR(CheckComparison(training.net().ModelParameters(), *comparison));
      entry["step_deviation"] = run.metrics["step_deviation"] = comparison->step_deviation();
      entry["agreeing_steps"] = run.metrics["agreeing_steps"] =
          static_cast<double>(comparison->agreeing_steps());
      run.metrics["weight_deviation"] = comparison->weight_deviation();
    }
    Tell(mode, session, name, entry, epochs);
  }
  Finish(rows.size(), run);
  // The last sample is on the tape: that of the gradient's flow.
  run.metrics["tape_bytes"] = static_cast<double>(training.tape().bytes_since(training.mark()));
  run.metrics["bytes_per_sample"] = run.metrics["tape_bytes"] / training.kWidth;
  run.metrics["bytes_per_node"] = run.metrics["bytes_per_sample"] / NodesOfASample(mode.net);
  run.metrics["tape_values"] = training.tape().size() - training.mark().size;
  run.params["batch_size"] = static_cast<double>(batch_size);
  run.params["threads"] = 1.0;
  if constexpr (std::is_same_v<T, double>) {
    if (!mode.graph.empty() && session.repetition() == 0) {
      return WriteGraph(mode.graph, dataset, training);
    }
  }
  return absl::OkStatus();
}

// The same by matrix products, from the same weights.
absl::Status TrainVectorised(const Mode& mode, const std::string& name, size_t batch_size,
                             const Session& session, record::RunRecord& run) {
  const data::Dataset dataset = DataOf(session.dataset(), mode);
  train::TrainOptions options = session.DefaultTrainOptions();
  options.batch_size = batch_size;
  options.strategy.threads = 1;
  options.schedule = mode.schedule;
  model::Model model(session.model());
  {
    autograd::ValueTraining<float> values(ValueOptions(mode, session));
    std::ranges::copy(values.net().ModelParameters(), model.parameters().begin());
  }
  MLP_ASSIGN_OR_RETURN(train::Trainer trainer, train::Trainer::Create(options, dataset, model));
  Describe(trainer.options(), run);
  const train::StrategyOptions& strategy = trainer.options().strategy;
  const std::vector<uint32_t> seen = FirstRows(dataset.train, kEvaluated);
  for (size_t epoch = 1; epoch <= options.epochs; ++epoch) {
    MLP_ASSIGN_OR_RETURN(const train::EpochSummary summary, trainer.TrainEpoch());
    run.curve.push_back({{"epoch", static_cast<double>(epoch)},
                         {"epoch_s", summary.seconds},
                         {"train_loss", summary.train_loss},
                         {"train_accuracy", train::Evaluate({strategy.target, strategy.math, 1},
                                                            model, dataset.train, seen)
                                                .accuracy},
                         {"test_accuracy", trainer.Test().accuracy}});
    Tell(mode, session, name, run.curve.back(), options.epochs);
  }
  Finish(dataset.train.size, run);
  run.metrics["bytes_per_sample"] = VectorisedBytesOfASample(session.model());
  run.metrics["bytes_per_node"] = run.metrics["bytes_per_sample"] / NodesOfASample(mode.net);
  return absl::OkStatus();
}

// How large gradients are, epoch by epoch: one plot for each layer.
void AddGradientPlots(const autograd::NetSpec& net, record::View& view) {
  for (size_t layer = 1; layer < net.widths.size(); ++layer) {
    view.plots.push_back({.kind = "curves",
                          .title = absl::StrCat("Gradient in layer ", layer),
                          .y = absl::StrCat("curve.gradient_layer_", layer),
                          .log_y = true});
  }
}

int Main(Experiment& experiment) {
  std::vector<std::string> words;
  experiment.flags().Positional(
      &words, {.help = "quick: 50 samples; full: all, or the part that --work leaves (--backend "
                       "and --isa are for the vectorised variants: a tape takes the CPU's best)",
               .value_name = "quick|full",
               .max = 1});
  std::string text = experiment.options().model;
  experiment.flags().Group("Net of values");
  experiment.flags().String(
      "model", &text,
      {.help =
           absl::StrCat("widths from input to output, activations between them (relu if none): ",
                        NamesOf(autograd::kActivations),
                        "; where vectorised nets do not have one, values train alone"),
       .value_name = "SPEC"});
  double l2 = 0, dropout = 0;
  experiment.flags().Double(
      "l2", &l2,
      {.help = "minimise loss + l2 / 2 * (sum of squares of all parameters); values alone",
       .min = 0});
  experiment.flags().Double(
      "dropout", &dropout,
      {.help = "the part of hidden outputs that is 0 in training, below 1; values alone",
       .min = 0,
       .max = 0.99});
  optim::ScheduleFlags schedule;
  optim::AddScheduleFlags(experiment.flags(), &schedule);
  std::string graph;
  experiment.flags().Group("Looking inside");
  experiment.flags().String(
      "graph", &graph,
      {.help = "write the graph of one sample's loss for `dot -Tsvg`", .value_name = "FILE"});
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  if (!words.empty() && words[0] != "quick" && words[0] != "full") {
    absl::FPrintF(stderr, "value_mlp: expected quick or full, found \"%s\"\n", words[0]);
    return 2;
  }
  const auto refuse = [](const absl::Status& status) {
    absl::FPrintF(stderr, "value_mlp: %s\n", std::string(status.message()));
    return 2;
  };
  const absl::StatusOr<autograd::NetSpec> net = autograd::ParseNetSpec(text);
  if (!net.ok()) return refuse(net.status());
  if (const absl::Status status = optim::CheckEffect(experiment.flags(), schedule); !status.ok()) {
    return refuse(status);
  }
  const absl::StatusOr<optim::ScheduleOptions> schedule_options = optim::ToSchedule(schedule);
  if (!schedule_options.ok()) return refuse(schedule_options.status());
  if (const absl::Status status = optim::Validate(*schedule_options); !status.ok()) {
    return refuse(status);
  }
  experiment.SetModel(Vectorised(*net));
  const Mode mode = {
      .quick = words.empty() || words[0] == "quick",
      .talk = !experiment.options().output.quiet && !experiment.options().output.json,
      .graph = flags::ResolvePath(graph),
      .net = *net,
      .schedule = *schedule_options,
      .l2 = l2,
      .dropout = dropout};
  if (!mode.graph.empty()) {
    // Known before the work, not after it.
    const absl::Status status = io::CheckReplaceable(mode.graph, kGraphFile, {});
    if (!status.ok()) return refuse(status);
  }
  const std::string not_vectorised = WhyNotVectorised(mode);
  const size_t batch = experiment.options().batch_size;
  record::View view = {
      .title = mode.quick ? "A net of values, 50 samples"
                          : "A net of values, all samples that --work leaves",
      .baseline = not_vectorised.empty() ? "vectorised" : "values, double",
      .primary = "timings.samples_per_s",
      .columns = {"timings.epoch_s", "metrics.train_loss", "metrics.train_accuracy",
                  "metrics.test_accuracy", "metrics.bytes_per_sample", "metrics.bytes_per_node",
                  "metrics.step_deviation", "metrics.agreeing_steps"},
      .plots = {{.kind = "bars", .log_x = true},
                {.kind = "curves", .title = "Training loss", .y = "curve.train_loss"},
                {.kind = "curves", .title = "Test error", .y = "curve.test_accuracy"}}};
  AddGradientPlots(*net, view);
  Table& table = experiment.AddTable(view);
  const auto add = [&](const std::string& name, auto body, const std::string& skipped = "") {
    table.Add({.name = name,
               .params = {},
               .body = [=](const Session& session, auto& run) { return body(name, session, run); },
               .skipped = skipped});
  };
  const auto vectorised = [=](size_t batch_size) {
    return [=](const std::string& name, const Session& session, record::RunRecord& run) {
      return TrainVectorised(mode, name, batch_size, session, run);
    };
  };
  const auto values = [=]<class T>(const T&, size_t batch_size) {
    return [=](const std::string& name, const Session& session, record::RunRecord& run) {
      return TrainValues<T>(mode, name, batch_size, session, run);
    };
  };
  add("vectorised", vectorised(batch), not_vectorised);
  add("values, double", values(double(), batch));
  add("values, float", values(float(), batch));
  const size_t packed = std::max(batch, kPackedBatch);
  add(absl::StrCat("vectorised, batch=", packed), vectorised(packed), not_vectorised);
  add(absl::StrCat("values, 16 floats, batch=", packed), values(tape::Pack16f(0), packed));
  experiment.SetConfig("mode", std::string(mode.quick ? "quick" : "full"));
  experiment.SetConfig("model", Format(*net));
  experiment.SetConfig("l2", l2);
  experiment.SetConfig("dropout", dropout);
  experiment.SetConfig("schedule", schedule.schedule);
  experiment.SetConfig("warmup", schedule.warmup);
  if (mode.schedule.kind != optim::ScheduleKind::kConstant) {
    experiment.SetConfig("decay", schedule.decay);
    experiment.SetConfig("decay_every", static_cast<double>(schedule.decay_every));
    experiment.SetConfig("decay_to", schedule.decay_to);
  }
  experiment.SetConfig("bytes_per_node",
                       "bytes_per_sample in parts of a sample's elementary operations, which "
                       "vectorised nets have none of: their bytes are those of each unit's output "
                       "and its gradient");
  experiment.SetConfig("step_deviation",
                       "largest difference of a weight from the vectorised reference's in double "
                       "after a step from the same weights, over all steps of repetition 0; more "
                       "than 1e-12 (of the largest weight, if that is above 1) is a failure; not "
                       "taken with dropout");
  experiment.SetConfig("agreeing_steps",
                       "steps of both from the same initial weights, each going its own way, up "
                       "to which no weight differs by more than 1e-12 (weight_deviation: by what "
                       "it differs there); training amplifies rounding errors, so they part");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(
    mlp::experiments::Main,
    {.name = "value_mlp",
     .question = "What does it cost to train a net of scalar values instead of matrices?",
     .defaults = {.model = "784-16-10",
                  .epochs = 3,
                  .batch_size = 1,
                  .optimizer = "sgd",
                  .learning_rate = 0.05},
     .omitted_flags = {"model"}})
