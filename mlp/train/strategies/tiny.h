// For models and batches so small that a step is over before other strategies have begun one: see
// engine/tiny.h.
#pragma once

#include "mlp/engine/tiny.h"
#include "mlp/train/strategies/clip.h"
#include "mlp/train/strategies/setup.h"

namespace mlp::train {

class Tiny final : public StrategyBase {
 public:
  explicit Tiny(const Setup& setup);
  engine::StepResult Step(const engine::Batch& batch) override;
  size_t steps_at_once() const override { return steps_at_once_; }
  engine::StepResult Steps(const engine::Batch& batch, size_t batch_size) override;
  void Load() override { engine_.Load(model_, optimizer_); }
  void Store() override { engine_.Store(model_, optimizer_); }
  size_t bytes() const override { return engine_.bytes(); }

 private:
  engine::Tiny engine_;
  Clipper clipper_;
  const size_t steps_at_once_;
};

}  // namespace mlp::train
