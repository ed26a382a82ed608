// A fully connected layer with its activation: y = f(x W + b).
#pragma once

#include "mlp/kernels/elementwise/activation.h"
#include "mlp/layers/layer.h"

namespace mlp::layers {

// Parameters: W [inputs, outputs] row-major, then b [outputs].
class Dense final : public Layer {
 public:
  Dense(size_t inputs, size_t outputs, kernels::Activation activation)
      : inputs_(inputs), outputs_(outputs), activation_(activation) {}

  size_t inputs() const override { return inputs_; }
  size_t outputs() const override { return outputs_; }
  size_t parameter_count() const override { return (inputs_ + 1) * outputs_; }
  size_t multiply_adds() const override { return inputs_ * outputs_; }
  bool keeps_preactivation() const override { return !kernels::SlopeFromOutput(activation_); }
  kernels::Activation activation() const { return activation_; }

  // W normal with variance 2 / inputs before the ReLU family and silu (He et al., "Delving deep
  // into rectifiers", 2015), 2 / (inputs + outputs) otherwise (Glorot & Bengio, "Understanding the
  // difficulty of training deep feedforward neural networks", 2010). b = 0.
  void Initialize(Stream& stream, std::span<float> parameters) const override;

  void Forward(const kernels::Context& context, std::span<const float> parameters,
               const Tape& tape) const override;
  void BackwardActivation(const kernels::Context& context, const Tape& tape,
                          Matrix gradient) const override;
  void BackwardInput(const kernels::Context& context, std::span<const float> parameters,
                     ConstMatrix dz, Matrix dx) const override;
  void BackwardParameters(const kernels::Context& context, ConstMatrix x, ConstMatrix dz,
                          kernels::Output output, std::span<float> gradient) const override;

  // Blocks are some rows of W each; the last one is b.
  size_t block_count() const override;
  size_t max_block_size() const override;
  Range block(size_t i) const override;
  void BackwardBlock(const kernels::Context& context, size_t i, ConstMatrix x, ConstMatrix dz,
                     std::span<float> gradient) const override;

 private:
  size_t weight_count() const { return inputs_ * outputs_; }
  ConstMatrix Weights(std::span<const float> parameters) const {
    return {parameters.data(), inputs_, outputs_};
  }
  // Rows of W in block i.
  Range BlockRows(size_t i) const;

  const size_t inputs_;
  const size_t outputs_;
  const kernels::Activation activation_;
};

}  // namespace mlp::layers
