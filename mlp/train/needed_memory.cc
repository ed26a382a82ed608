#include "mlp/train/needed_memory.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/base/available_memory.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/pairs/pairs.h"
#include "mlp/kernels/update/update.h"
#include "mlp/train/strategies/strategy.h"

namespace mlp::train {
namespace {

// All in floats.

double Parameters(const model::ModelSpec& spec) {
  return static_cast<double>(spec.parameter_count());
}

// As an Arena takes them: large ones fill whole huge pages.
double InArena(double floats) {
  constexpr double kPage = static_cast<double>(kHugePageBytes) / sizeof(float);
  return floats < kPage / 8 ? floats : std::ceil(floats / kPage) * kPage;
}

// Of each row: outputs and their gradient, and what goes into the activation where its slope needs
// that.
double KeptOf(const model::DenseSpec& layer) {
  const double each = kernels::SlopeFromOutput(layer.activation) ? 2 : 3;
  return each * static_cast<double>(layer.units);
}

// engine::Layerwise, for so many rows.
double LayerwiseFloats(const model::ModelSpec& spec, double rows) {
  double width = static_cast<double>(spec.inputs);
  for (const model::DenseSpec& layer : spec.layers) width += KeptOf(layer);
  return InArena(rows * width);
}

// engine::TensorParallel: weights, their transposes and the optimizer's state once more; each shard
// has sums of its own for the layers that are cut by rows, and for the inputs of the others, and so
// has each thread for the other ones.
double TensorParallelFloats(const model::ModelSpec& spec, const StrategyOptions& strategy,
                            double states, double rows) {
  const double parameters = Parameters(spec);
  const double shards = static_cast<double>(strategy.shards);
  const double threads = BusyThreads(strategy);
  const double sums = shards + (threads > 1 ? threads : 0);
  const double words = kernels::TermsOf(strategy.precision, /*with_bytes=*/false) / 2.0;
  double inputs = static_cast<double>(spec.inputs);
  const double transposed = parameters - inputs * static_cast<double>(spec.layers.front().units);
  double floats = parameters * (1 + states + words) + transposed * (1 + words);
  floats += threads * rows * inputs / sizeof(float);  // pixels
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const model::DenseSpec& layer = spec.layers[i];
    if ((spec.layers.size() - i) % 2 == 1) {
      floats += rows * (sums * static_cast<double>(layer.units) + threads * KeptOf(layer));
    } else {
      floats += rows * (KeptOf(layer) + (i > 0 ? sums * inputs : 0));
    }
    inputs = static_cast<double>(layer.units);
  }
  return InArena(floats);
}

double StrategyFloats(const model::ModelSpec& spec, const StrategyOptions& strategy, double states,
                      double rows) {
  const double parameters = Parameters(spec);
  const double shards = static_cast<double>(std::max<size_t>(strategy.shards, 1));
  const double sharded = shards * LayerwiseFloats(spec, std::ceil(rows / shards));
  switch (*strategy.kind) {
    case StrategyKind::kMaterialized:
      return LayerwiseFloats(spec, rows) + parameters;
    case StrategyKind::kFused:
      return LayerwiseFloats(spec, rows);
    case StrategyKind::kTensorParallel:
      return TensorParallelFloats(spec, strategy, states, rows);
    case StrategyKind::kThreadPrivate:
      return sharded + shards * parameters;
    case StrategyKind::kAtomic:
      return sharded + parameters;
    case StrategyKind::kHogwild:
      return sharded + shards * states * parameters;
    case StrategyKind::kPerSample:
      return LayerwiseFloats(spec, 1);
    case StrategyKind::kAccumulate: {
      const double parts = static_cast<double>(std::max<size_t>(strategy.micro_batches, 1));
      return LayerwiseFloats(spec, std::ceil(rows / parts)) + parameters;
    }
    case StrategyKind::kTiny:
      return 0;
  }
  __builtin_unreachable();
}

}  // namespace

double NeededMemory(const model::ModelSpec& spec, const TrainOptions& options,
                    const data::Dataset& dataset) {
  const size_t rows = std::min(options.batch_size, dataset.train.size);
  const StrategyOptions strategy =
      Resolve(options.strategy, {spec, rows, dataset.train.has_pixels()});
  const double states = static_cast<double>(kernels::States(options.optimizer.kind));
  // The model, its optimizer, and what evaluates it.
  const double floats = Parameters(spec) * (2 + states) +
                        StrategyFloats(spec, strategy, states, static_cast<double>(rows));
  return sizeof(float) * floats;
}

absl::Status CheckMemory(const model::ModelSpec& spec, const TrainOptions& options,
                         const data::Dataset& dataset) {
  const double needed = NeededMemory(spec, options, dataset);
  const double available = 0.9 * static_cast<double>(AvailableMemory());  // Others need some, too.
  if (needed <= available) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrFormat(
      "--model: %s has %d parameters: expected at least %.1f GB of memory, found %.1f GB "
      "available; make it, --batch_size or --shards smaller",
      model::Format(spec), spec.parameter_count(), 1e-9 * needed, 1e-9 * available));
}

}  // namespace mlp::train
