// Stochastic gradient descent in the narrow sense: an update after every sample. One thread: a
// single row is too little work to share.
#pragma once

#include "mlp/train/strategies/setup.h"

namespace mlp::train {

class PerSample final : public StrategyBase {
 public:
  explicit PerSample(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  size_t bytes() const override;

 private:
  engine::Layerwise engine_;
  AlignedBuffer<float> scratch_;  // [a block]
};

}  // namespace mlp::train
