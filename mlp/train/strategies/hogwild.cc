#include "mlp/train/strategies/hogwild.h"

namespace mlp::train {

Hogwild::Hogwild(const Setup& setup)
    : Sharded(setup), scratch_(engine(0).scratch_size() * shard_count()) {
  for (size_t i = 0; i < shard_count(); ++i) {
    optimizers_.emplace_back(setup.optimizer.options(), parameter_count());
  }
}

engine::StepResult Hogwild::Step(const engine::Batch& batch) {
  RunTeam(threads_, [&](const Worker& worker) {
    const Range shards = SharesOf(worker);
    for (size_t i = shards.begin; i < shards.end; ++i) {
      // The mean over the shard's own rows: each shard makes a step of its own.
      const size_t rows = Shard(batch, i, shard_count()).rows.size();
      if (rows == 0 || !ForwardShard(i, batch, InverseOf(rows))) continue;
      optimizers_[i].BeginStep();
      const size_t block = engine(i).scratch_size();
      engine(i).BackwardBlocks(Alone(), parameters(), scratch_.span().subspan(i * block, block),
                               [&](Range range, std::span<const float> gradient) {
                                 UpdateRange(optimizers_[i], range, gradient);
                               });
    }
  });
  return Results(batch);
}

size_t Hogwild::bytes() const {
  return EngineBytes() + scratch_.size() * sizeof(float) +
         optimizers_.size() * optimizers_[0].bytes();
}

}  // namespace mlp::train
