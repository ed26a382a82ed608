#include "mlp/train/strategies/tensor_parallel.h"

namespace mlp::train {

TensorParallel::TensorParallel(const Setup& setup)
    : StrategyBase(setup),
      engine_(model_, optimizer_, kernels_, math_, setup.options.shards, setup.max_batch,
              threads_) {}

engine::StepResult TensorParallel::Step(const engine::Batch& batch) {
  optimizer_.BeginStep();
  return engine_.Step(batch, optimizer_.step());
}

}  // namespace mlp::train
