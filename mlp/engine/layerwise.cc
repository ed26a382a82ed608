#include "mlp/engine/layerwise.h"

#include <algorithm>

#include "mlp/base/check.h"
#include "mlp/kernels/elementwise/elementwise.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/kernels/reduce/reduce.h"

namespace mlp::engine {

Layerwise::Layerwise(const model::Model& model, size_t max_batch)
    : model_(model), max_batch_(max_batch), buffers_(model.layer_count()) {
  MLP_CHECK_GT(max_batch, 0u);
  arena_ = Arena::For([this](Arena& arena) { Plan(arena); });
  tapes_.resize(model.layer_count());
  gradients_.resize(model.layer_count());
  for (size_t i = 0; i < model.layer_count(); ++i) {
    scratch_size_ = std::max(scratch_size_, model.layer(i).max_block_size());
  }
}

void Layerwise::Plan(Arena& arena) {
  const auto matrix = [&](size_t cols) {
    return arena.Take<float>(max_batch_ * PaddedStride(cols));
  };
  x_ = matrix(model_.inputs());
  labels_ = arena.Take<uint8_t>(max_batch_);
  losses_ = arena.Take<float>(max_batch_);
  hits_ = arena.Take<uint8_t>(max_batch_);
  for (size_t i = 0; i < buffers_.size(); ++i) {
    const layers::Layer& layer = model_.layer(i);
    if (layer.keeps_preactivation()) buffers_[i].z = matrix(layer.outputs());
    buffers_[i].y = matrix(layer.outputs());
    buffers_[i].gradient = matrix(layer.outputs());
  }
}

void Layerwise::SetBatch(size_t rows) {
  MLP_CHECK_GT(rows, 0u);
  MLP_CHECK_LE(rows, max_batch_);
  batch_ = rows;
  const auto matrix = [rows](std::span<float> memory, size_t cols) {
    return memory.empty() ? Matrix() : Matrix(memory.data(), rows, cols, PaddedStride(cols));
  };
  input_ = matrix(x_, model_.inputs());
  ConstMatrix x = input_;
  for (size_t i = 0; i < tapes_.size(); ++i) {
    const size_t outputs = model_.layer(i).outputs();
    tapes_[i] = {x, matrix(buffers_[i].z, outputs), matrix(buffers_[i].y, outputs)};
    gradients_[i] = matrix(buffers_[i].gradient, outputs);
    x = tapes_[i].y;
  }
}

void Layerwise::Gather(const kernels::Context& context, const Inputs& inputs) {
  MLP_CHECK_EQ(inputs.width, model_.inputs());
  // One worker lays out the views; none may still be using the old ones.
  context.Sync();
  if (context.worker.rank() == 0) SetBatch(inputs.rows.size());
  context.Sync();
  if (inputs.pixels != nullptr) {
    kernels::GatherRows(context, inputs.pixels, inputs.rows, kPixelScale, input_);
  } else {
    kernels::GatherRows(context, inputs.values, inputs.rows, input_);
  }
  context.Sync();
}

void Layerwise::Gather(const kernels::Context& context, const Batch& batch) {
  Gather(context, Inputs::Of(*batch.examples, batch.rows));
  if (context.worker.rank() == 0) {
    for (size_t i = 0; i < batch_; ++i) labels_[i] = batch.examples->labels[batch.rows[i]];
  }
  context.Sync();
}

void Layerwise::Forward(const kernels::Context& context, std::span<const float> parameters) {
  for (size_t i = 0; i < tapes_.size(); ++i) {
    model_.layer(i).Forward(context, LayerParameters(i, parameters), tapes_[i]);
    context.Sync();
  }
}

void Layerwise::Loss(const kernels::Context& context, float scale) {
  kernels::Loss(context, model_.spec().loss, logits(), labels(), scale, losses_.first(batch_),
                hits_.first(batch_), gradients_.back());
  context.Sync();
}

void Layerwise::BackwardActivation(const kernels::Context& context, size_t i) {
  model_.layer(i).BackwardActivation(context, tapes_[i], gradients_[i]);
  context.Sync();
}

void Layerwise::BackwardInput(const kernels::Context& context, std::span<const float> parameters,
                              size_t i) {
  if (i == 0) return;
  model_.layer(i).BackwardInput(context, LayerParameters(i, parameters), gradients_[i],
                                gradients_[i - 1]);
}

void Layerwise::Backward(const kernels::Context& context, std::span<const float> parameters,
                         kernels::Output output, std::span<float> gradient) {
  for (size_t i = tapes_.size(); i-- > 0;) {
    const Range range = model_.layer_parameters(i);
    BackwardActivation(context, i);
    BackwardInput(context, parameters, i);
    model_.layer(i).BackwardParameters(context, tapes_[i].x, gradients_[i], output,
                                       gradient.subspan(range.begin, range.size()));
    context.Sync();
  }
}

void Layerwise::BackwardBlocks(const kernels::Context& context, std::span<const float> parameters,
                               std::span<float> scratch,
                               absl::FunctionRef<void(Range, std::span<const float>)> sink) {
  MLP_CHECK_GE(scratch.size(), scratch_size_);
  const kernels::Context alone = {context.kernels, context.math, Worker()};
  for (size_t i = tapes_.size(); i-- > 0;) {
    const layers::Layer& layer = model_.layer(i);
    const size_t offset = model_.layer_parameters(i).begin;
    BackwardActivation(context, i);
    BackwardInput(context, parameters, i);
    context.Sync();
    const Range mine = context.worker.Share(layer.block_count());
    for (size_t b = mine.begin; b < mine.end; ++b) {
      const Range block = layer.block(b);
      const std::span<float> gradient = scratch.first(block.size());
      layer.BackwardBlock(alone, b, tapes_[i].x, gradients_[i], gradient);
      sink({offset + block.begin, offset + block.end}, gradient);
    }
  }
  context.Sync();
}

StepResult Layerwise::Result() const {
  size_t hits = 0;
  for (const uint8_t hit : hits_.first(batch_)) hits += hit;
  return {kernels::Sum(losses_.first(batch_)), hits, batch_};
}

}  // namespace mlp::engine
