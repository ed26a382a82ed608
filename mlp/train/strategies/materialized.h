// The textbook's way, and the base of comparison: all workers compute the whole gradient together,
// then all update.
#pragma once

#include "mlp/train/strategies/clip.h"
#include "mlp/train/strategies/setup.h"

namespace mlp::train {

class Materialized final : public StrategyBase {
 public:
  explicit Materialized(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  size_t bytes() const override;

 private:
  engine::Layerwise engine_;
  AlignedBuffer<float> gradient_;  // [parameters]
  Clipper clipper_;
};

}  // namespace mlp::train
