// No gradient vector: the gradient of a block of weights is formed in a cache-sized piece of memory
// and applied at once, while that block's weights and moments are on their way anyway.
#pragma once

#include "mlp/train/strategies/setup.h"

namespace mlp::train {

class Fused final : public StrategyBase {
 public:
  explicit Fused(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  size_t bytes() const override;

 private:
  std::span<float> ScratchOf(const Worker& worker);

  engine::Layerwise engine_;
  const size_t scratch_stride_;
  AlignedBuffer<float> scratch_;  // [threads, scratch_stride]
};

}  // namespace mlp::train
