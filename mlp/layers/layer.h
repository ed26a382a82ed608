// A layer of a model: how it computes and differentiates, on views that others own.
//
// A layer has no state of its own. Its parameters are a stretch of the model's flat vector, its
// buffers belong to the engine; so one layer serves any number of engines at once. All members that
// take a context are SPMD calls (see kernels/context.h) without a Sync at the end.
#pragma once

#include <cstddef>
#include <span>

#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/output.h"
#include "mlp/tensor/matrix.h"

namespace mlp::layers {

// What the forward pass of one layer leaves behind for the backward pass. All [batch, *].
struct Tape {
  ConstMatrix x;  // [batch, inputs]
  Matrix z;       // [batch, outputs] before the activation; empty unless keeps_preactivation()
  Matrix y;       // [batch, outputs]
};

class Layer {
 public:
  virtual ~Layer() = default;

  virtual size_t inputs() const = 0;
  virtual size_t outputs() const = 0;
  virtual size_t parameter_count() const = 0;
  // Multiply-adds of the forward pass for one sample.
  virtual size_t multiply_adds() const = 0;
  virtual bool keeps_preactivation() const = 0;

  virtual void Initialize(Stream& stream, std::span<float> parameters) const = 0;

  // tape.y (and tape.z) from tape.x.
  virtual void Forward(const kernels::Context& context, std::span<const float> parameters,
                       const Tape& tape) const = 0;

  // From the gradient with respect to y to that with respect to z, in place. [batch, outputs]
  virtual void BackwardActivation(const kernels::Context& context, const Tape& tape,
                                  Matrix gradient) const = 0;

  // dx [batch, inputs] from dz [batch, outputs].
  virtual void BackwardInput(const kernels::Context& context, std::span<const float> parameters,
                             ConstMatrix dz, Matrix dx) const = 0;

  // The gradient of all parameters from x and dz.
  virtual void BackwardParameters(const kernels::Context& context, ConstMatrix x, ConstMatrix dz,
                                  kernels::Output output, std::span<float> gradient) const = 0;

  // The same piece by piece: parameters fall into blocks that lie one after the other; each has at
  // most max_block_size() parameters, and its gradient is computed by the calling worker alone.
  virtual size_t block_count() const = 0;
  virtual size_t max_block_size() const = 0;
  virtual Range block(size_t i) const = 0;
  virtual void BackwardBlock(const kernels::Context& context, size_t i, ConstMatrix x,
                             ConstMatrix dz, std::span<float> gradient) const = 0;
};

}  // namespace mlp::layers
