// Data parallel, as frameworks do it: each shard computes a whole gradient of its own rows, these
// are summed as a binary tree, then all workers update.
#pragma once

#include <vector>

#include "mlp/train/strategies/clip.h"
#include "mlp/train/strategies/sharded.h"

namespace mlp::train {

class ThreadPrivate final : public Sharded {
 public:
  explicit ThreadPrivate(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  size_t bytes() const override;

 private:
  // gradients_[0] += all others. Workers split the elements, so no level waits for another.
  void SumAsTree(const kernels::Context& context);

  std::vector<AlignedBuffer<float>> gradients_;  // [shards][parameters]
  Clipper clipper_;
};

}  // namespace mlp::train
