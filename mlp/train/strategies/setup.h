// What every strategy is made from, and the pieces that several of them share.
#pragma once

#include <algorithm>
#include <span>

#include "mlp/base/team.h"
#include "mlp/engine/layerwise.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/optim/optimizer.h"
#include "mlp/train/strategies/strategy.h"

namespace mlp::train {

struct Setup {
  const StrategyOptions& options;
  size_t max_batch;
  model::Model& model;
  optim::Optimizer& optimizer;
};

// Everything a strategy keeps of its Setup.
class StrategyBase : public Strategy {
 protected:
  explicit StrategyBase(const Setup& setup)
      : model_(setup.model),
        optimizer_(setup.optimizer),
        kernels_(kernels::KernelsFor(setup.options.target)),
        math_(setup.options.math),
        threads_(setup.options.threads) {}

  kernels::Context ContextOf(const Worker& worker) const { return {&kernels_, math_, worker}; }
  // For work that one worker of a team does alone.
  kernels::Context Alone() const { return {&kernels_, math_, Worker()}; }

  std::span<float> parameters() { return model_.parameters(); }
  size_t parameter_count() const { return model_.parameters().size(); }

  // Applies the whole gradient. SPMD.
  void UpdateAll(const kernels::Context& context, std::span<const float> gradient) {
    kernels::Update(context, optimizer_.options().kind, optimizer_.step(),
                    optimizer_.Spans({0, parameter_count()}, parameters(), gradient));
  }
  // Applies the gradient of a stretch of the parameters, by the calling worker alone.
  void UpdateRange(optim::Optimizer& optimizer, Range range, std::span<const float> gradient) {
    kernels::UpdateBlock(Alone(), optimizer.options().kind, optimizer.step(),
                         optimizer.Spans(range, parameters(), gradient));
  }

  model::Model& model_;
  optim::Optimizer& optimizer_;
  const kernels::KernelSet& kernels_;
  const kernels::MathMode math_;
  const int threads_;
};

// Part `shard` of `shards` of a batch; may be empty.
inline engine::Batch Shard(const engine::Batch& batch, size_t shard, size_t shards) {
  const Range rows = Share(batch.rows.size(), 1, shard, shards);
  return {batch.examples, batch.rows.subspan(rows.begin, rows.size())};
}

inline float InverseOf(size_t samples) { return 1.0f / static_cast<float>(samples); }

}  // namespace mlp::train
