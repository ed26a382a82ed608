#include "mlp/train/strategies/materialized.h"

namespace mlp::train {

Materialized::Materialized(const Setup& setup)
    : StrategyBase(setup),
      engine_(setup.model, setup.max_batch),
      gradient_(parameter_count()),
      clipper_(setup.options.clip_norm, parameter_count()) {}

engine::StepResult Materialized::Step(const engine::Batch& batch) {
  optimizer_.BeginStep();
  RunTeam(threads_, [&](const Worker& worker) {
    const kernels::Context context = ContextOf(worker);
    engine_.Gather(context, batch);
    engine_.Forward(context, parameters());
    engine_.Loss(context, InverseOf(batch.rows.size()));
    engine_.Backward(context, parameters(), kernels::Output::kOverwrite, gradient_.span());
    clipper_.Clip(context, gradient_.span());
    UpdateAll(context, gradient_.span());
  });
  return engine_.Result();
}

size_t Materialized::bytes() const { return engine_.bytes() + gradient_.size() * sizeof(float); }

}  // namespace mlp::train
