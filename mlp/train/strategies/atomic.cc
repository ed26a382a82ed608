#include "mlp/train/strategies/atomic.h"

#include "mlp/kernels/elementwise/elementwise.h"

namespace mlp::train {

Atomic::Atomic(const Setup& setup)
    : Sharded(setup),
      gradient_(parameter_count()),
      scratch_(engine(0).scratch_size() * shard_count()),
      clipper_(setup.options.clip_norm, parameter_count()) {}

engine::StepResult Atomic::Step(const engine::Batch& batch) {
  optimizer_.BeginStep();
  const float scale = InverseOf(batch.rows.size());
  RunTeam(threads_, [&](const Worker& worker) {
    const kernels::Context context = ContextOf(worker);
    const Range zeros = worker.Share(gradient_.size(), kFloatsPerLine);
    std::ranges::fill(gradient_.span().subspan(zeros.begin, zeros.size()), 0.0f);
    context.Sync();
    const Range shards = SharesOf(worker);
    for (size_t i = shards.begin; i < shards.end; ++i) {
      const kernels::Context alone = AloneOf(worker);
      if (!ForwardShard(alone, i, batch, scale)) continue;
      const size_t block = engine(i).scratch_size();
      engine(i).BackwardBlocks(alone, parameters(), scratch_.span().subspan(i * block, block),
                               [&](Range range, std::span<const float> part) {
                                 const ProfileScope scope(alone.lane, ProfileOp::kSumGradients);
                                 kernels::AtomicAddTo(
                                     part, gradient_.span().subspan(range.begin, range.size()));
                               });
    }
    context.Sync();
    clipper_.Clip(context, gradient_.span());
    UpdateAll(context, gradient_.span());
  });
  return Results(batch);
}

size_t Atomic::bytes() const {
  return EngineBytes() + (gradient_.size() + scratch_.size()) * sizeof(float);
}

}  // namespace mlp::train
