#include "mlp/train/strategies/hogwild.h"

namespace mlp::train {

Hogwild::Hogwild(const Setup& setup)
    : Sharded(setup), scratch_(engine(0).scratch_size() * shard_count()) {}

engine::StepResult Hogwild::Step(const engine::Batch& batch) {
  optimizer_.BeginStep();
  RunTeam(threads_, [&](const Worker& worker) {
    const Range shards = SharesOf(worker);
    for (size_t i = shards.begin; i < shards.end; ++i) {
      // The mean over the shard's own rows: each shard makes a step of its own.
      const size_t rows = Shard(batch, i, shard_count()).rows.size();
      if (rows == 0 || !ForwardShard(i, batch, InverseOf(rows))) continue;
      const size_t block = engine(i).scratch_size();
      engine(i).BackwardBlocks(
          Alone(), parameters(), scratch_.span().subspan(i * block, block),
          [this](Range range, std::span<const float> gradient) { UpdateRange(range, gradient); });
    }
  });
  return Results(batch);
}

size_t Hogwild::bytes() const { return EngineBytes() + scratch_.size() * sizeof(float); }

}  // namespace mlp::train
