// The fast way: shards own slices of all layers, and each tile of a gradient is applied while it
// is in registers. See engine/tensor_parallel.h.
#pragma once

#include <optional>
#include <vector>

#include "mlp/engine/tensor_parallel.h"
#include "mlp/train/strategies/setup.h"

namespace mlp::train {

class TensorParallel final : public StrategyBase {
 public:
  explicit TensorParallel(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  size_t steps_at_once() const override { return updates_.size(); }
  engine::StepResult Steps(const engine::Batch& batch, size_t batch_size) override;
  // What the engine leaves out depends on the optimizer's state.
  void Load() override { engine_.emplace(model_, optimizer_, kernels_, engine_options_); }
  void Store() override { engine_->Store(model_, optimizer_); }
  size_t bytes() const override { return engine_->bytes(); }

 private:
  const std::vector<uint32_t> columns_;
  const engine::TensorParallel::Options engine_options_;
  std::optional<engine::TensorParallel> engine_;
  std::vector<kernels::UpdateStep> updates_;  // of the steps of one call
};

}  // namespace mlp::train
