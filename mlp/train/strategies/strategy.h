// Gradient strategies: how a batch becomes an update of the weights. Same model, same data order,
// same arithmetic; what differs is who computes which part of the gradient, where it is kept, and
// when it is applied.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/engine/layerwise.h"
#include "mlp/kernels/context.h"
#include "mlp/model/model.h"
#include "mlp/optim/optimizer.h"

namespace mlp::train {

enum class StrategyKind {
#define MLP_STRATEGY(type, name, purpose) k##type,
#include "mlp/train/strategies/strategies.inc"
#undef MLP_STRATEGY
};

inline constexpr std::array kStrategyKinds = {
#define MLP_STRATEGY(type, name, purpose) StrategyKind::k##type,
#include "mlp/train/strategies/strategies.inc"
#undef MLP_STRATEGY
};

absl::string_view Name(StrategyKind kind);
absl::string_view Purpose(StrategyKind kind);
absl::StatusOr<StrategyKind> ParseStrategyKind(absl::string_view name);

// Whether the same seed gives the same bits each time: not for atomic and hogwild on several
// threads.
bool IsDeterministic(StrategyKind kind);
// Whether it cuts batches into shards, see StrategyOptions.
bool IsSharded(StrategyKind kind);
// Whether the gradient of a batch exists as a whole before it is applied, so that its norm can be
// clipped.
bool HoldsWholeGradient(StrategyKind kind);

struct StrategyOptions {
  StrategyKind kind = StrategyKind::kFused;
  kernels::Target target = {};
  kernels::MathMode math = kernels::MathMode::kFast;
  int threads = 1;  // see EffectiveThreads
  // Parts that a batch is cut into by thread_private, atomic and hogwild. 0: as many as threads.
  // Sums depend on it, so bits do too; on the number of threads they do not.
  size_t shards = 0;
  size_t micro_batches = 4;  // of accumulate
  double clip_norm = 0;      // upper bound of the gradient's L2 norm; 0 for none
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  // Trains on the batch: one update, or several. Loss and hits are those of the weights that each
  // sample met.
  virtual engine::StepResult Step(const engine::Batch& batch) = 0;

  // Memory planned beside the model's parameters and the optimizer's state.
  virtual size_t bytes() const = 0;
};

// For batches of up to max_batch rows. Model and optimizer must outlive the strategy.
// InvalidArgument where the options do not go together.
absl::StatusOr<std::unique_ptr<Strategy>> MakeStrategy(const StrategyOptions& options,
                                                       size_t max_batch, model::Model& model,
                                                       optim::Optimizer& optimizer);

}  // namespace mlp::train
