// Gradient accumulation: the batch passes through in micro-batches, whose gradients add up to one
// update. Activations take the memory of a micro-batch only.
#pragma once

#include "mlp/train/strategies/clip.h"
#include "mlp/train/strategies/setup.h"

namespace mlp::train {

class Accumulate final : public StrategyBase {
 public:
  explicit Accumulate(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  size_t bytes() const override;

 private:
  const size_t micro_batches_;
  engine::Layerwise engine_;
  AlignedBuffer<float> gradient_;  // [parameters]
  Clipper clipper_;
};

}  // namespace mlp::train
