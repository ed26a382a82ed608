#include "mlp/train/strategies/tensor_parallel.h"

#include <algorithm>

namespace mlp::train {
namespace {

// Some milliseconds: long against a meeting of all threads, short for who waits. In parameters
// times samples.
constexpr size_t kWorkAtOnce = size_t{1} << 28;
constexpr size_t kMaxStepsAtOnce = 64;

size_t StepsAtOnce(size_t parameters, size_t max_batch) {
  return std::clamp<size_t>(kWorkAtOnce / parameters / max_batch, 1, kMaxStepsAtOnce);
}

}  // namespace

TensorParallel::TensorParallel(const Setup& setup)
    : StrategyBase(setup),
      columns_(setup.options.columns),
      engine_options_({.math = math_,
                       .precision = setup.options.precision,
                       .tiles = setup.options.amx.value_or(false),
                       .shards = setup.options.shards,
                       .max_batch = setup.max_batch,
                       .threads = threads_,
                       .skip_zeros = setup.options.skip_zeros.value_or(false),
                       .columns = columns_,
                       .profile = profile_}),
      updates_(StepsAtOnce(model_.parameters().size(), setup.max_batch)) {
  Load();
}

engine::StepResult TensorParallel::Step(const engine::Batch& batch) {
  return Steps(batch, batch.rows.size());
}

engine::StepResult TensorParallel::Steps(const engine::Batch& batch, size_t batch_size) {
  const size_t steps = (batch.rows.size() + batch_size - 1) / batch_size;
  for (size_t i = 0; i < steps; ++i) {
    optimizer_.BeginStep();
    updates_[i] = optimizer_.step();
  }
  return engine_->Steps(batch, batch_size, std::span(updates_).first(steps));
}

}  // namespace mlp::train
