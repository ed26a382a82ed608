// A net of scalar values beside the vectorised one: the same digits, weights and steps.
//
// quick is a look at it: 50 samples, 3 epochs. full trains on all samples.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/train.h"
#include "mlp/autograd/inspect.h"
#include "mlp/autograd/training.h"
#include "mlp/base/denormals.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/timer.h"
#include "mlp/data/batcher.h"
#include "mlp/flags/paths.h"
#include "mlp/io/atomic_file.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/optim/textbook.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"
#include "mlp/train/trainer.h"

namespace mlp::experiments {
namespace {

constexpr size_t kQuickTrain = 50;
constexpr size_t kQuickTest = 20;
constexpr size_t kEvaluated = 10000;  // at most, of the training part
constexpr size_t kGradientRows = 32;  // whose mean gradient tells how it flows
constexpr size_t kComparedSteps = 300;
constexpr size_t kPackedBatch = 16;

struct Mode {
  bool quick = true;
  bool talk = true;
  std::string graph;  // a file for the graph of one sample; "": none
};

data::Examples Head(const data::Examples& all, size_t n) {
  data::Examples head;
  head.size = std::min(n, all.size);
  head.features = all.features;
  const auto copy = [&](const auto& from, size_t width) {
    std::remove_cvref_t<decltype(from)> to(from.empty() ? 0 : head.size * width);
    std::copy_n(from.begin(), to.size(), to.begin());
    return to;
  };
  head.pixels = copy(all.pixels, all.features);
  head.values = copy(all.values, all.features);
  head.labels = copy(all.labels, 1);
  return head;
}

// What this mode trains on and is asked about.
data::Dataset DataOf(const data::Dataset& all, const Mode& mode) {
  data::Dataset part;
  part.name = all.name;
  part.rows = all.rows;
  part.cols = all.cols;
  part.classes = all.classes;
  part.train = Head(all.train, mode.quick ? kQuickTrain : all.train.size);
  part.test = Head(all.test, mode.quick ? kQuickTest : all.test.size);
  return part;
}

std::vector<uint32_t> FirstRows(const data::Examples& examples, size_t most) {
  std::vector<uint32_t> rows(std::min(examples.size, most));
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

autograd::TrainingOptions ValueOptions(const Session& session) {
  const train::TrainOptions& options = session.DefaultTrainOptions();
  autograd::TrainingOptions values;
  values.widths = {session.model().inputs};
  for (const model::DenseSpec& layer : session.model().layers) values.widths.push_back(layer.units);
  values.activation = session.model().layers.front().activation;
  values.optimizer = options.optimizer;
  values.seed = session.seed();
  return values;
}

void Tell(const Mode& mode, const Session& session, const std::string& variant,
          const std::map<std::string, double>& epoch, size_t epochs) {
  if (!mode.talk || session.repetition() != 0) return;
  absl::FPrintF(stderr,
                "%-24s epoch %.0f/%d: loss %.4f, train accuracy %.1f %%, test accuracy %.1f %%, "
                "%.4g ms\n",
                variant, epoch.at("epoch"), epochs, epoch.at("train_loss"),
                100 * epoch.at("train_accuracy"), 100 * epoch.at("test_accuracy"),
                1e3 * epoch.at("epoch_s"));
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
double NodesOfASample(const autograd::TrainingOptions& options) {
  double nodes = 2;
  for (size_t i = 0; i + 1 < options.widths.size(); ++i) {
    nodes += 2.0 * static_cast<double>(options.widths[i] * options.widths[i + 1]);
    nodes += static_cast<double>(options.widths[i + 1]) * (i + 2 < options.widths.size() ? 1 : 2);
  }
  return nodes;
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
  return io::WriteFileAtomically(flags::ResolvePath(path),
                                 autograd::ToDot(training.tape(), loss, options));
}

template <class T>
absl::Status TrainValues(const Mode& mode, const std::string& name, size_t batch_size,
                         const Session& session, record::RunRecord& run) {
  const ScopedFlushDenormals flush;
  const data::Dataset dataset = DataOf(session.dataset(), mode);
  const autograd::TrainingOptions options = ValueOptions(session);
  MLP_RETURN_IF_ERROR(autograd::Validate(options));
  autograd::ValueTraining<T> training(options);
  run.resolved["tape"] = kernels::Name({kernels::Backend::kAutovec, BestIsa()});
  const std::vector<uint32_t> rows = FirstRows(dataset.train, dataset.train.size);
  const std::vector<uint32_t> seen = FirstRows(dataset.train, kEvaluated);
  const std::vector<uint32_t> test = FirstRows(dataset.test, dataset.test.size);
  data::Batcher batcher(rows, batch_size, data::LastBatch::kKeep, session.seed());
  const size_t epochs = session.DefaultTrainOptions().epochs;
  for (size_t epoch = 1; epoch <= epochs; ++epoch) {
    Timer timer;
    double loss = 0;
    batcher.StartEpoch(static_cast<uint32_t>(epoch));
    for (auto batch = batcher.Next(); !batch.empty(); batch = batcher.Next()) {
      loss += training.TrainStep(dataset.train, batch) * static_cast<double>(batch.size());
    }
    auto& entry = run.curve.emplace_back();
    entry = {{"epoch", static_cast<double>(epoch)},
             {"epoch_s", timer.Seconds()},
             {"train_loss", loss / static_cast<double>(rows.size())}};
    if (!std::isfinite(loss)) {
      return absl::AbortedError(absl::StrCat("epoch ", epoch,
                                             ": the loss is no longer a finite number, first by ",
                                             training.first_non_finite()));
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
    Tell(mode, session, name, entry, epochs);
  }
  Finish(rows.size(), run);
  // The last sample is on the tape: that of the gradient's flow.
  run.metrics["tape_bytes"] = static_cast<double>(training.tape().bytes_since(training.mark()));
  run.metrics["bytes_per_node"] =
      run.metrics["tape_bytes"] / (NodesOfASample(options) * training.kWidth);
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

// Both trained in double from the same weights by the same steps: how far apart they end.
absl::Status CompareWithReference(const Mode& mode, size_t batch_size, const Session& session,
                                  record::RunRecord& run) {
  const data::Dataset dataset = DataOf(session.dataset(), mode);
  const autograd::TrainingOptions options = ValueOptions(session);
  autograd::ValueTraining<double> training(options);
  const std::vector<double> start = training.net().ModelParameters();
  std::vector<reference::Activation> activations;
  for (const model::DenseSpec& layer : session.model().layers) {
    activations.push_back(*reference::ActivationByName(kernels::Name(layer.activation)));
  }
  reference::Mlp expected(options.widths, activations, start);
  const std::unique_ptr<reference::Optimizer> optimizer = optim::Textbook(options.optimizer);
  const std::vector<uint32_t> rows = FirstRows(dataset.train, dataset.train.size);
  data::Batcher batcher(rows, batch_size, data::LastBatch::kKeep, session.seed());
  batcher.StartEpoch(1);
  const size_t steps = session.Steps(kComparedSteps);
  for (size_t step = 0; step < steps; ++step) {
    const auto batch = batcher.Next();
    if (batch.empty()) break;
    reference::Matrix x(batch.size(), dataset.train.features);
    std::vector<int> labels;
    for (size_t i = 0; i < batch.size(); ++i) {
      labels.push_back(dataset.train.labels[batch[i]]);
      for (size_t j = 0; j < x.cols; ++j) {
        const size_t at = batch[i] * x.cols + j;
        x(i, j) = dataset.train.pixels.empty() ? double{dataset.train.values[at]}
                                               : dataset.train.pixels[at] / 255.0;
      }
    }
    expected.Step(x, labels, *optimizer);
    training.TrainStep(dataset.train, batch);
  }
  const std::vector<double> end = training.net().ModelParameters();
  double deviation = 0;
  for (size_t i = 0; i < end.size(); ++i) {
    deviation = std::max(deviation, std::abs(end[i] - expected.parameters()[i]));
  }
  run.metrics["weight_deviation"] = deviation;
  return absl::OkStatus();
}

// The same by matrix products, from the same weights.
absl::Status TrainVectorised(const Mode& mode, const std::string& name, size_t batch_size,
                             const Session& session, record::RunRecord& run) {
  const data::Dataset dataset = DataOf(session.dataset(), mode);
  train::TrainOptions options = session.DefaultTrainOptions();
  options.batch_size = batch_size;
  options.strategy.threads = 1;
  model::Model model(session.model());
  {
    autograd::ValueTraining<float> values(ValueOptions(session));
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
  return absl::OkStatus();
}

int Main(Experiment& experiment) {
  std::vector<std::string> words;
  experiment.flags().Positional(
      &words, {.help = "quick: 50 samples; full: all (--backend and --isa are for the vectorised "
                       "variants: a tape takes the CPU's best)",
               .value_name = "quick|full",
               .max = 1});
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
  const model::ModelSpec& spec = experiment.model();
  if (spec.loss != kernels::LossKind::kSoftmaxCrossEntropy) {
    absl::FPrintF(stderr, "value_mlp: --model: expected a softmax at the end, found %s\n",
                  model::Format(spec));
    return 2;
  }
  for (size_t i = 0; i + 1 < spec.layers.size(); ++i) {
    if (spec.layers[i].activation != spec.layers[0].activation) {
      absl::FPrintF(stderr,
                    "value_mlp: --model: expected one activation for all hidden layers, found %s\n",
                    model::Format(spec));
      return 2;
    }
  }
  const Mode mode = {
      .quick = words.empty() || words[0] == "quick",
      .talk = !experiment.options().output.quiet && !experiment.options().output.json,
      .graph = graph};
  const size_t batch = experiment.options().batch_size;
  Table& table = experiment.AddTable(
      {.title = mode.quick ? "A net of values, 50 samples" : "A net of values, all samples",
       .baseline = "vectorised",
       .primary = "timings.samples_per_s",
       .columns = {"timings.epoch_s", "metrics.train_loss", "metrics.train_accuracy",
                   "metrics.test_accuracy", "metrics.bytes_per_node", "metrics.weight_deviation"},
       .plots = {{.kind = "bars", .log_x = true},
                 {.kind = "curves", .title = "Training loss", .y = "curve.train_loss"},
                 {.kind = "curves", .title = "Test error", .y = "curve.test_accuracy"},
                 {.kind = "curves",
                  .title = "Gradient in the first layer",
                  .y = "curve.gradient_layer_1",
                  .log_y = true},
                 {.kind = "curves",
                  .title = "Gradient in the second layer",
                  .y = "curve.gradient_layer_2",
                  .log_y = true}}});
  const auto add = [&](const std::string& name, auto body) {
    table.Add({.name = name, .params = {}, .body = [=](const Session& session, auto& run) {
                 return body(name, session, run);
               }});
  };
  add("vectorised", [=](const std::string& name, const Session& session, record::RunRecord& run) {
    return TrainVectorised(mode, name, batch, session, run);
  });
  add("values, double",
      [=](const std::string& name, const Session& session, record::RunRecord& run) {
        MLP_RETURN_IF_ERROR(TrainValues<double>(mode, name, batch, session, run));
        return CompareWithReference(mode, batch, session, run);
      });
  add("values, float",
      [=](const std::string& name, const Session& session, record::RunRecord& run) {
        return TrainValues<float>(mode, name, batch, session, run);
      });
  const size_t packed = std::max(batch, kPackedBatch);
  add(absl::StrCat("vectorised, batch=", packed),
      [=](const std::string& name, const Session& session, record::RunRecord& run) {
        return TrainVectorised(mode, name, packed, session, run);
      });
  add(absl::StrCat("values, 16 floats, batch=", packed),
      [=](const std::string& name, const Session& session, record::RunRecord& run) {
        return TrainValues<tape::Pack16f>(mode, name, packed, session, run);
      });
  experiment.SetConfig("mode", std::string(mode.quick ? "quick" : "full"));
  experiment.SetConfig("bytes_per_node",
                       "the tape's memory for one sample, in parts of its elementary operations");
  experiment.SetConfig("weight_deviation",
                       "largest difference of a weight from the vectorised reference's in double, "
                       "after up to 300 steps from the same weights");
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
                  .learning_rate = 0.05}})
