#include "mlp/train/strategies/accumulate.h"

namespace mlp::train {

Accumulate::Accumulate(const Setup& setup)
    : StrategyBase(setup),
      micro_batches_(std::min(setup.options.micro_batches, setup.max_batch)),
      engine_(setup.model, (setup.max_batch + micro_batches_ - 1) / micro_batches_),
      gradient_(parameter_count()),
      clipper_(setup.options.clip_norm, parameter_count()) {}

engine::StepResult Accumulate::Step(const engine::Batch& batch) {
  optimizer_.BeginStep();
  const float scale = InverseOf(batch.rows.size());
  engine::StepResult sum;
  RunTeam(threads_, [&](const Worker& worker) {
    const kernels::Context context = ContextOf(worker);
    kernels::Output output = kernels::Output::kOverwrite;
    for (size_t i = 0; i < micro_batches_; ++i) {
      const engine::Batch micro_batch = Shard(batch, i, micro_batches_);
      if (micro_batch.rows.empty()) continue;
      engine_.Gather(context, micro_batch);
      engine_.Forward(context, parameters());
      engine_.Loss(context, scale);
      if (worker.rank() == 0) sum += engine_.Result();
      engine_.Backward(context, parameters(), output, gradient_.span());
      output = kernels::Output::kAdd;
    }
    clipper_.Clip(context, gradient_.span());
    UpdateAll(context, gradient_.span());
  });
  return sum;
}

size_t Accumulate::bytes() const { return engine_.bytes() + gradient_.size() * sizeof(float); }

}  // namespace mlp::train
