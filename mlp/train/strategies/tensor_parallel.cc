#include "mlp/train/strategies/tensor_parallel.h"

namespace mlp::train {

TensorParallel::TensorParallel(const Setup& setup)
    : StrategyBase(setup),
      engine_(model_, optimizer_, kernels_,
              {.math = math_,
               .precision = setup.options.precision,
               .shards = setup.options.shards,
               .max_batch = setup.max_batch,
               .threads = threads_,
               .skip_zeros = setup.options.skip_zeros.value_or(false),
               .profile = setup.options.profile}) {}

engine::StepResult TensorParallel::Step(const engine::Batch& batch) {
  optimizer_.BeginStep();
  return engine_.Step(batch, optimizer_.step());
}

}  // namespace mlp::train
