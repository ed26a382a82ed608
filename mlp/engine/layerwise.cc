#include "mlp/engine/layerwise.h"

#include <algorithm>

#include "mlp/base/check.h"
#include "mlp/base/profile.h"
#include "mlp/kernels/elementwise/elementwise.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/kernels/reduce/reduce.h"

namespace mlp::engine {
namespace {

// Waits for the team, and notes for how long.
void Sync(const kernels::Context& context) {
  if (context.worker.size() == 1) return;
  const ProfileScope scope(context.lane, ProfileOp::kWait);
  context.Sync();
}

// This worker's share of what a layer's product with `batch` rows has to do; forward, gradient of
// the input and gradient of the weights are the same.
ProfileWork ProductWork(const kernels::Context& context, const layers::Layer& layer, size_t batch) {
  if (context.lane == nullptr) return {};
  const double share = static_cast<double>(batch) / context.worker.size();
  return {2 * share * static_cast<double>(layer.multiply_adds()),
          sizeof(float) * (share * static_cast<double>(layer.inputs() + layer.outputs()) +
                           static_cast<double>(layer.parameter_count()) / context.worker.size())};
}

}  // namespace

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
  Gather(context, inputs, {});
}

void Layerwise::Gather(const kernels::Context& context, const Batch& batch) {
  Gather(context, Inputs::Of(*batch.examples, batch.rows), batch.examples->labels.span());
}

void Layerwise::Gather(const kernels::Context& context, const Inputs& inputs,
                       std::span<const uint8_t> labels) {
  MLP_CHECK_EQ(inputs.width, model_.inputs());
  // One worker lays out the views; none may still be using the old ones.
  Sync(context);
  if (context.worker.rank() == 0) {
    SetBatch(inputs.rows.size());
    for (size_t i = 0; !labels.empty() && i < batch_; ++i) labels_[i] = labels[inputs.rows[i]];
  }
  Sync(context);
  {
    // A byte becomes a float.
    const double numbers = static_cast<double>(batch_ * model_.inputs()) / context.worker.size();
    const double bytes_each = (inputs.pixels != nullptr ? 1 : sizeof(float)) + sizeof(float);
    const ProfileScope scope(context.lane, ProfileOp::kGather, kNoLayer,
                             {numbers, bytes_each * numbers});
    if (inputs.pixels != nullptr) {
      kernels::GatherRows(context, inputs.pixels, inputs.rows, kPixelScale, input_);
    } else {
      kernels::GatherRows(context, inputs.values, inputs.rows, input_);
    }
  }
  Sync(context);
}

void Layerwise::Forward(const kernels::Context& context, std::span<const float> parameters) {
  for (size_t i = 0; i < tapes_.size(); ++i) {
    const layers::Layer& layer = model_.layer(i);
    {
      const ProfileScope scope(context.lane, ProfileOp::kForward, i,
                               ProductWork(context, layer, batch_));
      layer.Forward(context, LayerParameters(i, parameters), tapes_[i]);
    }
    Sync(context);
  }
}

void Layerwise::Loss(const kernels::Context& context, float scale) {
  {
    const ProfileScope scope(context.lane, ProfileOp::kLoss);
    kernels::Loss(context, model_.spec().loss, logits(), labels(), scale, losses_.first(batch_),
                  hits_.first(batch_), gradients_.back());
  }
  Sync(context);
}

void Layerwise::BackwardActivation(const kernels::Context& context, size_t i) {
  if (model_.spec().layers[i].activation == kernels::Activation::kIdentity) return;
  {
    const ProfileScope scope(context.lane, ProfileOp::kSlope, i);
    model_.layer(i).BackwardActivation(context, tapes_[i], gradients_[i]);
  }
  Sync(context);
}

void Layerwise::BackwardInput(const kernels::Context& context, std::span<const float> parameters,
                              size_t i) {
  if (i == 0) return;
  const layers::Layer& layer = model_.layer(i);
  const ProfileScope scope(context.lane, ProfileOp::kInputGradient, i,
                           ProductWork(context, layer, batch_));
  layer.BackwardInput(context, LayerParameters(i, parameters), gradients_[i], gradients_[i - 1]);
}

void Layerwise::Backward(const kernels::Context& context, std::span<const float> parameters,
                         kernels::Output output, std::span<float> gradient) {
  for (size_t i = tapes_.size(); i-- > 0;) {
    const Range range = model_.layer_parameters(i);
    BackwardActivation(context, i);
    BackwardInput(context, parameters, i);
    const layers::Layer& layer = model_.layer(i);
    {
      const ProfileScope scope(context.lane, ProfileOp::kWeightGradient, i,
                               ProductWork(context, layer, batch_));
      layer.BackwardParameters(context, tapes_[i].x, gradients_[i], output,
                               gradient.subspan(range.begin, range.size()));
    }
    Sync(context);
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
    Sync(context);
    const Range mine = context.worker.Share(layer.block_count());
    for (size_t b = mine.begin; b < mine.end; ++b) {
      const Range block = layer.block(b);
      const std::span<float> gradient = scratch.first(block.size());
      {
        const double rows = static_cast<double>(batch_);
        const double size = static_cast<double>(block.size());
        const ProfileScope scope(context.lane, ProfileOp::kWeightGradient, i,
                                 {2 * rows * size, sizeof(float) * size});
        layer.BackwardBlock(alone, b, tapes_[i].x, gradients_[i], gradient);
      }
      sink({offset + block.begin, offset + block.end}, gradient);
    }
  }
  Sync(context);
}

StepResult Layerwise::Result() const {
  return StepResult::Of(losses_.first(batch_), hits_.first(batch_));
}

}  // namespace mlp::engine
