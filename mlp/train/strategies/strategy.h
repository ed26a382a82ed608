// Gradient strategies: how a batch becomes an update of the weights. Same model, same data order,
// same arithmetic; what differs is who computes which part of the gradient, where it is kept, and
// when it is applied.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/base/profile.h"
#include "mlp/engine/layerwise.h"
#include "mlp/kernels/context.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
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

// What is to be trained.
struct Job {
  const model::ModelSpec& spec;
  size_t batch_size = 1;
  bool has_pixels = true;  // else its inputs are values
};
// Whether it can train that on the target: tensor_parallel and tiny have kernels of their own,
// which only simd has; the one is for pixels, the other for tiny models.
bool CanTrain(StrategyKind kind, const kernels::Target& target, const Job& job);
// The fastest one that can.
StrategyKind DefaultStrategy(const kernels::Target& target, const Job& job);
// What 0 shards come to, see StrategyOptions; 0 for strategies without shards.
size_t DefaultShards(StrategyKind kind, const model::ModelSpec& spec, int threads);
// Whether the gradient of a batch exists as a whole before it is applied, so that its norm can be
// clipped.
bool HoldsWholeGradient(StrategyKind kind);

struct StrategyOptions {
  std::optional<StrategyKind> kind = {};  // none: DefaultStrategy
  kernels::Target target = {};
  kernels::MathMode math = kernels::MathMode::kFast;
  int threads = 1;  // from 1; see EffectiveThreads
  // Parts that a batch is cut into by thread_private, atomic and hogwild (0: as many as threads),
  // or a model by tensor_parallel (0: as its widths suggest). Sums depend on it, so bits do too; on
  // the number of threads they do not.
  size_t shards = 0;
  // Of tensor_parallel.
  kernels::Precision precision = kernels::Precision::kFp32;
  // Products of bfloat16 by AMX's tiles, which add up in another order than dot products, so that
  // bits differ. None: where the CPU has them.
  std::optional<bool> amx = {};
  // Of tensor_parallel: leave out products with pixels that are 0. With fp32 that changes no bits;
  // with bf16x3 and bf16 the first layer's products are those of fp32. None: with fp32, if a
  // smaller part than skip_below of the training set is others (Trainer), no otherwise.
  std::optional<bool> skip_zeros = {};
  double skip_below = 0.35;  // see mlp/tune
  // Of tensor_parallel: the inputs that are not 0 in the whole training set, ascending, see
  // data::FindPixelUse (Trainer); empty: all. The others have no gradient.
  std::vector<uint32_t> columns = {};
  size_t micro_batches = 4;  // of accumulate
  double clip_norm = 0;      // upper bound of the gradient's L2 norm; 0 for none
  // Where steps note what they do, with a lane for each thread; it has to outlive the strategy.
  // Null: nowhere. Bits do not depend on it.
  Profile* profile = nullptr;

  absl::string_view KindName() const { return kind ? Name(*kind) : "auto"; }
};

// Which implementation of each kernel family the strategy's steps call, for records.
std::vector<std::pair<std::string, std::string>> ResolvedKernels(const StrategyOptions& options);

// Whether products are those of AMX's tiles.
bool UsesAmx(const StrategyOptions& options);

// The options with what they leave open decided: kind, shards and amx.
StrategyOptions Resolve(const StrategyOptions& options, const Job& job);

// Whether its steps can read packed pixels (see data::Examples).
bool ReadsPacked(const StrategyOptions& resolved, const optim::OptimizerOptions& optimizer);

// Training pixels of which a smaller part than this is not 0 are worth packing before a
// training; 0: none may be packed.
double PackBelow(const StrategyOptions& resolved, const optim::OptimizerOptions& optimizer);

// How many of the model's inputs its steps read.
size_t UsedInputs(const StrategyOptions& options, const model::ModelSpec& spec);

// How many of those threads have work in a step.
int BusyThreads(const StrategyOptions& resolved);

class Strategy {
 public:
  virtual ~Strategy() = default;

  // Trains on the batch: one update, or several. Loss and hits are those of the weights that each
  // sample met.
  virtual engine::StepResult Step(const engine::Batch& batch) = 0;

  // Where steps are short against the calls around them, how many of them one call may be.
  virtual size_t steps_at_once() const { return 1; }
  // So many steps at most: each takes batch_size rows of the batch, the last what is left.
  virtual engine::StepResult Steps(const engine::Batch& batch, size_t) { return Step(batch); }

  // A strategy may keep parameters and optimizer state in a form of its own while it trains. Load
  // takes them from the model and the optimizer, Store brings those two up to date.
  virtual void Load() {}
  virtual void Store() {}

  // Memory planned beside the model's parameters and the optimizer's state.
  virtual size_t bytes() const = 0;
};

// For batches of up to max_batch rows. Model and optimizer must outlive the strategy.
// InvalidArgument where the options do not go together.
absl::StatusOr<std::unique_ptr<Strategy>> MakeStrategy(const StrategyOptions& options,
                                                       size_t max_batch, model::Model& model,
                                                       optim::Optimizer& optimizer);

}  // namespace mlp::train
