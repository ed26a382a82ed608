// Lock-free asynchronous updates: each shard computes the gradient of its rows and applies it to
// the shared weights and moments, waiting for nobody. Workers overwrite each other's updates now
// and then, by design. Recht, Re, Wright & Niu, "Hogwild!: a lock-free approach to parallelizing
// stochastic gradient descent", 2011.
//
// Moments are each shard's own. Shared ones come apart: where the update of one moment is lost and
// that of the other is not, Adam divides a large first moment by a second one of nearly 0.
#pragma once

#include <vector>

#include "mlp/train/strategies/sharded.h"

namespace mlp::train {

class Hogwild final : public Sharded {
 public:
  explicit Hogwild(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  // Between files there is one set of moments: the mean of the shards'.
  void Load() override;
  void Store() override;
  size_t bytes() const override;

 private:
  std::vector<optim::Optimizer> optimizers_;  // one for each shard
  AlignedBuffer<float> scratch_;              // [shards, a block]
};

}  // namespace mlp::train
