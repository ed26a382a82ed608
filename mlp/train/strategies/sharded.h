// A batch cut into shards, each with an engine of its own: what thread_private, atomic and hogwild
// have in common. Threads execute shards; a shard is never split.
#pragma once

#include <deque>

#include "mlp/train/strategies/setup.h"

namespace mlp::train {

class Sharded : public StrategyBase {
 protected:
  explicit Sharded(const Setup& setup);

  // The shards that this worker executes.
  Range SharesOf(const Worker& worker) const { return worker.Share(engines_.size()); }
  size_t shard_count() const { return engines_.size(); }

  // Loss and its gradient, times scale, of one shard at the present parameters, by the calling
  // worker alone (context: its AloneOf). False where the shard has no rows.
  bool ForwardShard(const kernels::Context& context, size_t shard, const engine::Batch& batch,
                    float scale);

  engine::Layerwise& engine(size_t shard) { return engines_[shard]; }

  // Of all shards that had rows in the last batch, in shard order.
  engine::StepResult Results(const engine::Batch& batch) const;

  size_t EngineBytes() const;

 private:
  std::deque<engine::Layerwise> engines_;  // one for each shard
};

}  // namespace mlp::train
