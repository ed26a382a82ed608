#include "mlp/train/strategies/hogwild.h"

#include "mlp/kernels/elementwise/elementwise.h"

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
      const kernels::Context alone = AloneOf(worker);
      if (rows == 0 || !ForwardShard(alone, i, batch, InverseOf(rows))) continue;
      optimizers_[i].set_learning_rate(optimizer_.learning_rate());
      optimizers_[i].BeginStep();
      const size_t block = engine(i).scratch_size();
      engine(i).BackwardBlocks(alone, parameters(), scratch_.span().subspan(i * block, block),
                               [&](Range range, std::span<const float> gradient) {
                                 UpdateRange(alone, optimizers_[i], range, gradient);
                               });
    }
  });
  return Results(batch);
}

void Hogwild::Load() {
  for (optim::Optimizer& optimizer : optimizers_) {
    optimizer.set_steps(optimizer_.steps());
    for (size_t k = 0; k < optimizer_.state_count(); ++k) {
      std::ranges::copy(optimizer_.state(k), optimizer.state(k).begin());
    }
  }
}

// Each shard goes on with the mean of all shards' states.
void Hogwild::Store() {
  const kernels::Context context = AloneOf(Worker());
  // A batch of fewer rows than shards leaves the first ones without a step.
  optimizer_.set_steps(optimizers_.back().steps());
  for (size_t k = 0; k < optimizer_.state_count(); ++k) {
    const std::span<float> mean = optimizer_.state(k);
    std::ranges::copy(optimizers_[0].state(k), mean.begin());
    for (size_t i = 1; i < shard_count(); ++i) {
      kernels::AddTo(context, optimizers_[i].state(k), mean);
    }
    kernels::Scale(context, 1.0f / static_cast<float>(shard_count()), mean);
  }
}

size_t Hogwild::bytes() const {
  return EngineBytes() + scratch_.size() * sizeof(float) +
         optimizers_.size() * optimizers_[0].bytes();
}

}  // namespace mlp::train
