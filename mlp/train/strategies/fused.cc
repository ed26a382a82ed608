#include "mlp/train/strategies/fused.h"

namespace mlp::train {

Fused::Fused(const Setup& setup)
    : StrategyBase(setup),
      engine_(setup.model, setup.max_batch),
      scratch_stride_(RoundUp(engine_.scratch_size(), kFloatsPerLine)),
      scratch_(scratch_stride_ * static_cast<size_t>(threads_)) {}

std::span<float> Fused::ScratchOf(const Worker& worker) {
  return scratch_.span().subspan(static_cast<size_t>(worker.rank()) * scratch_stride_,
                                 scratch_stride_);
}

engine::StepResult Fused::Step(const engine::Batch& batch) {
  optimizer_.BeginStep();
  RunTeam(threads_, [&](const Worker& worker) {
    const kernels::Context context = ContextOf(worker);
    engine_.Gather(context, batch);
    engine_.Forward(context, parameters());
    engine_.Loss(context, InverseOf(batch.rows.size()));
    engine_.BackwardBlocks(context, parameters(), ScratchOf(worker),
                           [&](Range range, std::span<const float> gradient) {
                             UpdateRange(context, optimizer_, range, gradient);
                           });
  });
  return engine_.Result();
}

size_t Fused::bytes() const { return engine_.bytes() + scratch_.size() * sizeof(float); }

}  // namespace mlp::train
