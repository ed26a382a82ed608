#include "mlp/train/strategies/sharded.h"

namespace mlp::train {

Sharded::Sharded(const Setup& setup) : StrategyBase(setup) {
  const size_t shards = setup.options.shards;
  const size_t rows = (setup.max_batch + shards - 1) / shards;
  for (size_t i = 0; i < shards; ++i) engines_.emplace_back(setup.model, rows);
}

bool Sharded::ForwardShard(const kernels::Context& context, size_t shard,
                           const engine::Batch& batch, float scale) {
  const engine::Batch mine = Shard(batch, shard, shard_count());
  if (mine.rows.empty()) return false;
  engines_[shard].Gather(context, mine);
  engines_[shard].Forward(context, parameters());
  engines_[shard].Loss(context, scale);
  return true;
}

engine::StepResult Sharded::Results(const engine::Batch& batch) const {
  engine::StepResult sum;
  for (size_t i = 0; i < shard_count(); ++i) {
    if (!Shard(batch, i, shard_count()).rows.empty()) sum += engines_[i].Result();
  }
  return sum;
}

size_t Sharded::EngineBytes() const {
  size_t bytes = 0;
  for (const engine::Layerwise& engine : engines_) bytes += engine.bytes();
  return bytes;
}

}  // namespace mlp::train
