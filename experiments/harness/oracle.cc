#include "experiments/harness/oracle.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>

#include "experiments/harness/work.h"
#include "mlp/base/check.h"
#include "mlp/base/largest_error.h"
#include "mlp/data/batcher.h"
#include "mlp/model/textbook.h"
#include "mlp/optim/textbook.h"
#include "mlp/reference/mlp.h"
#include "mlp/train/evaluate.h"

namespace mlp::experiments {
namespace {

using Rows = std::span<const uint32_t>;

std::vector<int> LabelsOf(const data::Examples& examples, Rows rows) {
  std::vector<int> labels;
  for (const uint32_t row : rows) labels.push_back(examples.labels[row]);
  return labels;
}

std::vector<uint32_t> FirstRows(size_t n) {
  std::vector<uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

Oracle Compute(const Session& session, const train::TrainOptions& options, size_t steps,
               size_t test_samples) {
  const data::Dataset& dataset = session.dataset();
  const model::Model start(session.model(), options.seed);
  Oracle oracle;
  oracle.start.assign(start.parameters().begin(), start.parameters().end());
  reference::Mlp mlp = model::Textbook(start.spec(), start.parameters());
  const std::unique_ptr<reference::Optimizer> optimizer = optim::Textbook(options.optimizer);
  data::Batcher batcher(FirstRows(dataset.train.size), options.batch_size, options.last_batch,
                        options.seed);
  uint32_t epoch = 1;
  batcher.StartEpoch(epoch);
  while (oracle.step_losses.size() < steps) {
    const Rows rows = batcher.Next();
    if (rows.empty()) {
      batcher.StartEpoch(++epoch);
      continue;
    }
    oracle.step_losses.push_back(
        mlp.Step(InputsOf(dataset.train, rows), LabelsOf(dataset.train, rows), *optimizer));
  }
  oracle.end = mlp.parameters();
  oracle.predictions =
      mlp.Predict(InputsOf(dataset.test, FirstRows(std::min(test_samples, dataset.test.size))));
  return oracle;
}

}  // namespace

reference::Matrix InputsOf(const data::Examples& examples, std::span<const uint32_t> rows) {
  reference::Matrix x(rows.size(), examples.features);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < examples.features; ++j) {
      const size_t k = rows[i] * examples.features + j;
      x(i, j) = examples.pixels.empty() ? examples.values[k] : examples.pixels[k] / 255.0;
    }
  }
  return x;
}

const Oracle& TrainReference(const Session& session, const train::TrainOptions& options,
                             size_t steps, size_t test_samples) {
  using Key = std::tuple<uint64_t, size_t, size_t, size_t, int, int, double, double>;
  constexpr size_t kKept = 4;
  static std::deque<std::pair<Key, Oracle>> kept;
  const Key key = {options.seed,
                   options.batch_size,
                   steps,
                   test_samples,
                   static_cast<int>(options.optimizer.kind),
                   static_cast<int>(options.last_batch),
                   options.optimizer.learning_rate,
                   options.optimizer.weight_decay};
  for (const auto& [k, oracle] : kept) {
    if (k == key) return oracle;
  }
  if (kept.size() == kKept) kept.pop_front();
  return kept.emplace_back(key, Compute(session, options, steps, test_samples)).second;
}

double LossDeviation(const std::vector<double>& step_losses, const std::vector<double>& reference) {
  if (step_losses.size() < reference.size()) return std::numeric_limits<double>::infinity();
  LargestError largest;
  for (size_t i = 0; i < reference.size(); ++i) {
    largest.Add(std::abs(step_losses[i] - reference[i]) / reference[i]);
  }
  return largest.value();
}

double WeightDeviation(const model::Model& model, const Oracle& oracle) {
  const std::span<const float> parameters = model.parameters();
  MLP_CHECK_EQ(parameters.size(), oracle.end.size());
  double apart = 0, travelled = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    apart += std::pow(parameters[i] - oracle.end[i], 2);
    travelled += std::pow(oracle.end[i] - oracle.start[i], 2);
  }
  return std::sqrt(apart / travelled);
}

std::vector<int> Predictions(const Session& session, const train::TrainOptions& options,
                             const model::Model& model, size_t samples) {
  std::vector<int> predictions;
  train::Predict({options.strategy.target, options.strategy.math, options.strategy.threads}, model,
                 FirstSamples(session.dataset().test, samples),
                 [&](size_t, ConstMatrix, std::span<const uint32_t> classes) {
                   predictions.insert(predictions.end(), classes.begin(), classes.end());
                 });
  return predictions;
}

void SetDeviationConfig(Experiment& experiment) {
  experiment.SetConfig("early_loss_deviation",
                       "largest relative difference from the reference's loss in the first steps");
  experiment.SetConfig("loss_deviation",
                       "largest relative difference from the reference's loss in all steps");
  experiment.SetConfig("weight_deviation",
                       "distance from the reference's weights, in parts of the way travelled");
}

double PredictionAgreementPct(const Session& session, const train::TrainOptions& options,
                              const model::Model& model, const Oracle& oracle) {
  const std::vector<int> mine = Predictions(session, options, model, oracle.predictions.size());
  size_t equal = 0;
  for (size_t i = 0; i < mine.size(); ++i) equal += mine[i] == oracle.predictions[i];
  return 100 * static_cast<double>(equal) / static_cast<double>(mine.size());
}

}  // namespace mlp::experiments
