// Lock-free asynchronous updates: each shard computes the gradient of its rows and applies it to
// the shared weights and moments, waiting for nobody. Workers overwrite each other's updates now
// and then, by design. Recht, Re, Wright & Niu, "Hogwild!: a lock-free approach to parallelizing
// stochastic gradient descent", 2011.
#pragma once

#include "mlp/train/strategies/sharded.h"

namespace mlp::train {

class Hogwild final : public Sharded {
 public:
  explicit Hogwild(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  size_t bytes() const override;

 private:
  AlignedBuffer<float> scratch_;  // [shards, a block]
};

}  // namespace mlp::train
