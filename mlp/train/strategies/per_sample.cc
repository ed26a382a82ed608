#include "mlp/train/strategies/per_sample.h"

namespace mlp::train {

PerSample::PerSample(const Setup& setup)
    : StrategyBase(setup), engine_(setup.model, 1), scratch_(engine_.scratch_size()) {}

engine::StepResult PerSample::Step(const engine::Batch& batch) {
  engine::StepResult sum;
  RunTeam(1, [&](const Worker& worker) {
    const kernels::Context context = AloneOf(worker);
    for (size_t i = 0; i < batch.rows.size(); ++i) {
      optimizer_.BeginStep();
      engine_.Gather(context, {batch.examples, batch.rows.subspan(i, 1)});
      engine_.Forward(context, parameters());
      engine_.Loss(context, 1);
      engine_.BackwardBlocks(context, parameters(), scratch_.span(),
                             [&](Range range, std::span<const float> gradient) {
                               UpdateRange(context, optimizer_, range, gradient);
                             });
      sum += engine_.Result();
    }
  });
  return sum;
}

size_t PerSample::bytes() const { return engine_.bytes() + scratch_.size() * sizeof(float); }

}  // namespace mlp::train
