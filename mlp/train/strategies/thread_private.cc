#include "mlp/train/strategies/thread_private.h"

#include "mlp/kernels/elementwise/elementwise.h"

namespace mlp::train {

ThreadPrivate::ThreadPrivate(const Setup& setup)
    : Sharded(setup), clipper_(setup.options.clip_norm, parameter_count()) {
  for (size_t i = 0; i < shard_count(); ++i) gradients_.emplace_back(parameter_count());
}

void ThreadPrivate::SumAsTree(const kernels::Context& context) {
  const ProfileScope scope(context.lane, ProfileOp::kSumGradients);
  for (size_t step = 1; step < gradients_.size(); step *= 2) {
    for (size_t i = 0; i + step < gradients_.size(); i += 2 * step) {
      kernels::AddTo(context, gradients_[i + step].span(), gradients_[i].span());
    }
  }
}

engine::StepResult ThreadPrivate::Step(const engine::Batch& batch) {
  optimizer_.BeginStep();
  const float scale = InverseOf(batch.rows.size());
  RunTeam(threads_, [&](const Worker& worker) {
    const kernels::Context context = ContextOf(worker);
    const Range shards = SharesOf(worker);
    for (size_t i = shards.begin; i < shards.end; ++i) {
      const kernels::Context alone = AloneOf(worker);
      if (ForwardShard(alone, i, batch, scale)) {
        engine(i).Backward(alone, parameters(), kernels::Output::kOverwrite, gradients_[i].span());
      } else {
        std::ranges::fill(gradients_[i], 0.0f);
      }
    }
    context.Sync();
    SumAsTree(context);
    context.Sync();
    clipper_.Clip(context, gradients_[0].span());
    UpdateAll(context, gradients_[0].span());
  });
  return Results(batch);
}

size_t ThreadPrivate::bytes() const {
  return EngineBytes() + gradients_.size() * parameter_count() * sizeof(float);
}

}  // namespace mlp::train
