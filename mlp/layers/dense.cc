#include "mlp/layers/dense.h"

#include <algorithm>
#include <cmath>

#include "mlp/kernels/gemm/gemm.h"
#include "mlp/kernels/reduce/reduce.h"

namespace mlp::layers {
namespace {

using kernels::Activation;

// A block of W has about this many bytes of gradient: half of an L1 cache.
constexpr size_t kBlockBytes = 16 * 1024;

bool IsRectifier(Activation activation) {
  return activation == Activation::kRelu || activation == Activation::kLeakyRelu ||
         activation == Activation::kSilu;
}

}  // namespace

void Dense::Initialize(Stream& stream, std::span<float> parameters) const {
  MLP_CHECK_EQ(parameters.size(), parameter_count());
  const double fan = IsRectifier(activation_) ? inputs_ : static_cast<double>(inputs_ + outputs_);
  const float scale = static_cast<float>(std::sqrt(2.0 / fan));
  for (float& w : parameters.first(weight_count())) w = scale * stream.Normal();
  std::ranges::fill(parameters.subspan(weight_count()), 0.0f);
}

void Dense::Forward(const kernels::Context& context, std::span<const float> parameters,
                    const Tape& tape) const {
  const float* bias = parameters.data() + weight_count();
  if (!keeps_preactivation()) {
    return kernels::GemmNN(context, tape.x, Weights(parameters), {bias, activation_}, tape.y);
  }
  kernels::GemmNN(context, tape.x, Weights(parameters), {bias}, tape.z);
  // The product is split by blocks, the activation by rows.
  context.Sync();
  kernels::Activate(context, activation_, tape.z, tape.y);
}

void Dense::BackwardActivation(const kernels::Context& context, const Tape& tape,
                               Matrix gradient) const {
  if (activation_ == Activation::kIdentity) return;
  kernels::ActivateBackward(context, activation_, tape.z, tape.y, gradient, gradient);
}

void Dense::BackwardInput(const kernels::Context& context, std::span<const float> parameters,
                          ConstMatrix dz, Matrix dx) const {
  kernels::GemmNT(context, dz, Weights(parameters), dx);
}

void Dense::BackwardParameters(const kernels::Context& context, ConstMatrix x, ConstMatrix dz,
                               kernels::Output output, std::span<float> gradient) const {
  MLP_CHECK_EQ(gradient.size(), parameter_count());
  kernels::GemmTN(context, x, dz, output, {gradient.data(), inputs_, outputs_});
  kernels::ColumnSums(context, dz, output, gradient.subspan(weight_count()));
}

size_t Dense::block_count() const {
  const size_t rows = std::max<size_t>(1, kBlockBytes / sizeof(float) / outputs_);
  return (inputs_ + rows - 1) / rows + 1;
}

size_t Dense::max_block_size() const {
  size_t largest = 0;
  for (size_t i = 0; i < block_count(); ++i) largest = std::max(largest, block(i).size());
  return largest;
}

Range Dense::BlockRows(size_t i) const { return Share(inputs_, 1, i, block_count() - 1); }

Range Dense::block(size_t i) const {
  if (i + 1 == block_count()) return {weight_count(), parameter_count()};
  const Range rows = BlockRows(i);
  return {rows.begin * outputs_, rows.end * outputs_};
}

void Dense::BackwardBlock(const kernels::Context& context, size_t i, ConstMatrix x, ConstMatrix dz,
                          std::span<float> gradient) const {
  MLP_CHECK_EQ(context.worker.size(), 1);
  MLP_CHECK_EQ(gradient.size(), block(i).size());
  if (i + 1 == block_count()) {
    return kernels::ColumnSums(context, dz, kernels::Output::kOverwrite, gradient);
  }
  const Range rows = BlockRows(i);
  kernels::GemmTN(context, x.Cols(rows.begin, rows.size()), dz, kernels::Output::kOverwrite,
                  {gradient.data(), rows.size(), outputs_});
}

}  // namespace mlp::layers
