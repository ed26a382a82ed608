// Training of dense stacks so small that a step takes no longer than the calls around it: sample by
// sample on one thread, all parameters in one block that stays in L1 (kernels/tiny), one update
// over all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mlp/base/arena.h"
#include "mlp/engine/batch.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/tiny/tiny.h"
#include "mlp/kernels/update/update.h"
#include "mlp/model/model.h"
#include "mlp/optim/optimizer.h"

namespace mlp::engine {

// With gradient and state these take a little more than half of an L1 cache.
inline constexpr size_t kMaxTinyParameters = 2048;

// Whether the target has kernels for tiny nets, and the model is one.
bool IsTiny(const model::ModelSpec& spec, const kernels::Target& target);

class Tiny {
 public:
  // The model must be tiny on the kernels' target.
  Tiny(const model::Model& model, const optim::Optimizer& optimizer,
       const kernels::KernelSet& kernels, kernels::MathMode math);

  // Parameters and optimizer state from where they are at home, and back.
  void Load(const model::Model& model, const optim::Optimizer& optimizer);
  void Store(model::Model& model, optim::Optimizer& optimizer) const;

  // The gradient of the mean loss over the batch. Denormals must be flushed to zero (RunTeam).
  StepResult Gradient(const data::Examples& examples, std::span<const uint32_t> rows);
  // All parameters' gradient, in the engine's own order; what is padding is 0.
  std::span<float> gradient() { return gradient_; }
  void Update(const kernels::UpdateStep& step);
  // Both for one sample, which is faster; on AVX-512 with fast math the bits differ.
  kernels::TinyResult Step(const data::Examples& examples, uint32_t row,
                           const kernels::UpdateStep& step);

  size_t bytes() const { return arena_.bytes(); }

 private:
  void Plan(Arena& arena);
  // Where the kernel finds a row of the examples: there, or in a padded copy.
  const float* Gather(const data::Examples& examples, uint32_t row);
  // visit(index in the model's flat vector, index in the engine's) for every parameter.
  template <class Visit>
  void ForEachParameter(Visit visit) const;

  const kernels::KernelSet& kernels_;
  const kernels::TinyKernels& tiny_;
  const kernels::MathMode math_;
  const kernels::OptimizerKind optimizer_;
  const size_t inputs_;
  std::vector<kernels::TinyLayer> layers_;
  kernels::TinyNet net_;
  size_t size_ = 0;  // of the parameters, padded
  size_t work_ = 0;  // floats of z and y
  size_t widest_ = 0;
  std::span<float> parameters_;  // [size]
  std::span<float> gradient_;    // [size]
  std::array<std::span<float>, kernels::kMaxStates> states_;
  std::span<float> x_;  // [inputs padded]
  Arena arena_;
};

}  // namespace mlp::engine
