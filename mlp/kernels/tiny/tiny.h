// The gradient, or the whole step, of one sample through a whole stack of small dense layers, in
// one call: of nets whose layers take no longer than a call does.
//
// All numbers lie in arrays padded to whole vectors, the padding 0. A layer is laid out along its
// outputs or along its inputs, whichever pads less.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/kernels/context.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {

struct TinyLayer {
  size_t inputs;
  size_t outputs;
  Activation activation;
  bool along_outputs;  // weights: [inputs, outputs padded]; else [outputs, inputs padded]
  size_t weights;      // where they begin among the parameters
  size_t bias;         // [outputs padded], likewise
  size_t z;            // [outputs padded], where they begin in the work space
  size_t y;            // likewise
};

struct TinyNet {
  std::span<const TinyLayer> layers;
  LossKind loss;
  MathMode math;
  const float* x;  // [inputs], padded where the first layer does not lie along its outputs
  float* work;     // z and y of all layers
  float* d[2];     // [widest layer padded]
};

struct TinyResult {
  float loss;
  bool hit;
};

struct TinyKernels {
  Target target;
  size_t lanes;  // of a vector
  // Of the sample in net.x: the gradient of scale * loss, written to `gradient` or added to it.
  TinyResult (*gradient)(const TinyNet& net, const float* parameters, uint8_t label, float scale,
                         bool add, float* gradient);
  // The same with a step of an optimizer at once: a vector of the gradient is applied where it
  // comes to be, while those of the layers below wait for their operands.
  TinyResult (*step)(const TinyNet& net, OptimizerKind kind, const UpdateStep& step, uint8_t label,
                     float* parameters, const std::array<float*, kMaxStates>& states);
};

// Null where the target's backend has none: only simd does.
const TinyKernels* FindTinyKernels(const Target& target);

}  // namespace mlp::kernels
