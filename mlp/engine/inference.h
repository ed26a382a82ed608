// What a trained dense stack says about rows: logits, probabilities, classes. Nothing is allocated
// after construction.
//
// On a target with panel kernels the weights are packed into panels once. A row alone is a chain of
// products of that row (kernels/gemv); many rows are cut into blocks that threads take for
// themselves, each a chain of products over panels (kernels/panel). Both add in the same order, and
// what is left out of a sum is 0 * w: a row's results have the same bits in any batch, on any
// number of threads, with zeros skipped or not (for finite weights).
// On other targets the layers' own products do it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mlp/base/arena.h"
#include "mlp/base/team.h"
#include "mlp/engine/batch.h"
#include "mlp/engine/layerwise.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/gemv/gemv.h"
#include "mlp/kernels/panel/panel.h"
#include "mlp/kernels/sparse/sparse.h"
#include "mlp/model/model.h"
#include "mlp/tensor/matrix.h"

namespace mlp::engine {

class Inference {
 public:
  struct Options {
    kernels::MathMode math = kernels::MathMode::kFast;
    size_t max_batch = 1;
    int threads = 1;
    // Leave out products with inputs and activations that are 0, where counting finds enough.
    bool skip_zeros = true;
    // Weights rounded to bfloat16, 8 significant bits: a row alone waits for half the memory. To be
    // asked for only on targets with panel kernels.
    bool bf16_weights = false;
  };
  // The model must outlive the engine.
  Inference(const model::Model& model, const kernels::KernelSet& kernels, const Options& options);

  // To be called when the model's parameters have changed.
  void Load();

  // Computes the logits of up to max_batch rows, [n, inputs]. Pixels become numbers in [0, 1].
  void Predict(std::span<const uint8_t> pixels);
  void Predict(std::span<const float> values);
  // The same of rows that lie anywhere.
  void Predict(const Inputs& inputs);

  // Of the last Predict; valid until the next one.
  ConstMatrix logits() const { return logits_; }  // [n, outputs]
  ConstMatrix Probabilities();                    // [n, classes], see kernels::Probabilities
  std::span<const uint32_t> Classes();            // [n], see kernels::Classify
  // The loss where labels[i] is that of row i.
  StepResult Score(std::span<const uint8_t> labels);

  size_t max_batch() const { return max_batch_; }
  size_t bytes() const;

 private:
  struct Layer {
    size_t inputs;
    size_t outputs;
    kernels::Activation activation;
    std::span<float> weights;  // panels of [inputs rounded up, width]
    std::span<float> words;    // the same in bfloat16 (see gemv.h); empty with fp32
    std::span<float> bias;     // [outputs rounded up]
  };

  // A thread's own room.
  struct Desk {
    std::span<float> rows[2];                     // [widest layer or input]
    std::span<uint32_t> entries;                  // [widest layer or input]
    std::vector<kernels::SparseRow> sparse_rows;  // [block]
    std::span<uint8_t> pixels;                    // panels of [block, width]
    std::span<float> input;                       // likewise; of pixels only kInputPanels
    std::span<float> panels[2];                   // of the widest layer
  };

  void Plan(Arena& arena);
  kernels::Context Alone() const { return {&kernels_, math_, Worker()}; }
  // Runs body on all threads where n rows are enough work for them, else on this one.
  template <class Body>
  void OnTeam(size_t n, Body body) const;
  size_t Panels(size_t columns) const { return (columns + width_ - 1) / width_; }
  bool IsNarrow(size_t columns) const { return columns <= kernels_.gemv->narrow; }
  size_t PanelStride(const Layer& layer) const { return RoundUp(layer.inputs, width_) * width_; }

  kernels::Gemv JobOf(const Layer& layer, float* y) const;

  void PredictLayerwise(const Inputs& inputs);
  void PredictRow(Desk& desk, const Inputs& inputs, float* logits) const;
  void MultiplyPixelRow(Desk& desk, const kernels::Gemv& job, const uint8_t* pixels) const;
  void MultiplyFloatRow(Desk& desk, const kernels::Gemv& job, const float* x, size_t n) const;
  void PredictBlock(Desk& desk, const Inputs& inputs, Matrix logits) const;
  bool IsSparseBlock(const Inputs& inputs) const;
  // The first layer's product for a block, in panels of [rows, width].
  void MultiplyPixels(Desk& desk, const Inputs& inputs, float* y) const;
  void MultiplySparse(Desk& desk, const Inputs& inputs, float* y) const;
  void GatherValues(Desk& desk, const Inputs& inputs) const;
  void Multiply(const Layer& layer, size_t rows, const float* x, float* y) const;
  // A row of n columns in panels to one of them side by side.
  void CopyRow(const float* panels, size_t row, size_t n, float* to) const;

  const model::Model& model_;
  const kernels::KernelSet& kernels_;
  const kernels::MathMode math_;
  const size_t max_batch_;
  const int threads_;
  const bool skip_zeros_;
  const bool bf16_weights_;
  const size_t width_;   // of a panel; 0 where there are none
  const size_t block_;   // rows that a thread takes at once
  const size_t stride_;  // from one panel of a block's activations to the next
  std::vector<Layer> layers_;
  std::vector<Desk> desks_;  // [threads]
  std::unique_ptr<Layerwise> layerwise_;

  std::span<uint32_t> all_rows_;         // 0, 1, 2, ...
  std::span<float> logits_memory_;       // [max_batch, outputs]
  std::span<float> probability_memory_;  // [max_batch, classes]
  std::span<uint32_t> classes_;          // [max_batch]
  std::span<float> losses_;              // [max_batch]
  std::span<uint8_t> hits_;              // [max_batch]
  Arena arena_;
  Matrix logits_;  // of the last Predict
};

}  // namespace mlp::engine
