// One gradient for all: shards add their parts to it with atomic additions, in whatever order they
// come. Sums differ from run to run in their last bits.
#pragma once

#include "mlp/train/strategies/clip.h"
#include "mlp/train/strategies/sharded.h"

namespace mlp::train {

class Atomic final : public Sharded {
 public:
  explicit Atomic(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  size_t bytes() const override;

 private:
  AlignedBuffer<float> gradient_;  // [parameters]
  AlignedBuffer<float> scratch_;   // [shards, a block]
  Clipper clipper_;
};

}  // namespace mlp::train
