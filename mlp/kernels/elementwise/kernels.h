// What a backend provides for elementwise work. Each function is run by one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mlp/kernels/context.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

struct ElementwiseKernels {
  Target target;
  void (*activate)(Activation activation, MathMode math, ConstMatrix x, Matrix y);
  void (*activate_backward)(Activation activation, MathMode math, ConstMatrix x, ConstMatrix y,
                            ConstMatrix dy, Matrix dx);
  // y[j] = scale * x[j] for j < n.
  void (*convert)(size_t n, float scale, const uint8_t* x, float* y);
  // x[j] *= factor for j < n.
  void (*scale)(size_t n, float factor, float* x);
  // y[j] += x[j] for j < n.
  void (*add)(size_t n, const float* x, float* y);
};

// Null where the target's backend has none.
const ElementwiseKernels* FindElementwiseKernels(const Target& target);

template <Backend backend, Isa isa>
const ElementwiseKernels& ElementwiseTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const ElementwiseKernels& ElementwiseTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::kernels
