// One step of any model, layer by layer: gather, forward, loss, backward. What becomes of the
// gradient is the caller's affair (see train/strategies).
//
// All members that take a context are SPMD calls and end with a Sync, so that what they wrote is
// there for all workers. Nothing is allocated after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "mlp/base/arena.h"
#include "mlp/engine/batch.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/output.h"
#include "mlp/layers/layer.h"
#include "mlp/model/model.h"
#include "mlp/tensor/matrix.h"

namespace mlp::engine {

class Layerwise {
 public:
  // Plans memory for batches of up to max_batch rows. The model must outlive the engine; its
  // parameters are an argument of each call.
  Layerwise(const model::Model& model, size_t max_batch);

  // Inputs, of which pixels become numbers in [0, 1]; with those of a batch, its labels, too.
  void Gather(const kernels::Context& context, const Inputs& inputs);
  void Gather(const kernels::Context& context, const Batch& batch);

  void Forward(const kernels::Context& context, std::span<const float> parameters);

  // The model's loss on the logits, and its gradient times `scale` (1 / batch for the mean).
  void Loss(const kernels::Context& context, float scale);

  // The gradient of all parameters, [parameters].
  void Backward(const kernels::Context& context, std::span<const float> parameters,
                kernels::Output output, std::span<float> gradient);

  // The same in blocks: sink(range, gradient of parameters[range]) for each, called by one worker
  // while the others work on other blocks. A sink may change parameters[range] at once: what still
  // needs the old values has been computed. scratch: [scratch_size()], one for each worker.
  void BackwardBlocks(const kernels::Context& context, std::span<const float> parameters,
                      std::span<float> scratch,
                      absl::FunctionRef<void(Range, std::span<const float>)> sink);
  size_t scratch_size() const { return scratch_size_; }

  // Of the last Loss; the same on every worker.
  StepResult Result() const;

  ConstMatrix logits() const { return tapes_.back().y; }  // [batch, outputs]
  std::span<const uint8_t> labels() const { return labels_.first(batch_); }

  size_t max_batch() const { return max_batch_; }
  size_t bytes() const { return arena_.bytes(); }

 private:
  struct Buffers {
    std::span<float> z;         // [max_batch, outputs] or empty
    std::span<float> y;         // [max_batch, outputs]
    std::span<float> gradient;  // [max_batch, outputs], with respect to y, then to z
  };

  void Plan(Arena& arena);
  // With labels, [*], those of the rows, too.
  void Gather(const kernels::Context& context, const Inputs& inputs,
              std::span<const uint8_t> labels);
  // Views of the first `rows` rows of all buffers.
  void SetBatch(size_t rows);
  std::span<const float> LayerParameters(size_t i, std::span<const float> parameters) const {
    const Range range = model_.layer_parameters(i);
    return parameters.subspan(range.begin, range.size());
  }
  // Layer i's gradient with respect to z, then that with respect to its input, if it is needed.
  void BackwardActivation(const kernels::Context& context, size_t i);
  void BackwardInput(const kernels::Context& context, std::span<const float> parameters, size_t i);

  const model::Model& model_;
  const size_t max_batch_;
  size_t scratch_size_ = 0;
  Arena arena_;
  std::span<float> x_;         // [max_batch, inputs]
  std::span<uint8_t> labels_;  // [max_batch]
  std::span<float> losses_;    // [max_batch]
  std::span<uint8_t> hits_;    // [max_batch]
  std::vector<Buffers> buffers_;

  size_t batch_ = 0;
  Matrix input_;                     // [batch, inputs]
  std::vector<layers::Tape> tapes_;  // of each layer
  std::vector<Matrix> gradients_;    // [batch, outputs] of each layer
};

}  // namespace mlp::engine
