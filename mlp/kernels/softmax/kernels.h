// What a backend provides for softmax: two passes over one row.
#pragma once

#include <cstddef>

#include "mlp/kernels/context.h"

namespace mlp::kernels {

struct SoftmaxKernels {
  Target target;
  // The largest of x[0 .. n-1], n > 0.
  float (*max)(size_t n, const float* x);
  // y[j] = e^(x[j] - shift) for j < n, and their sum. y may be x.
  float (*exp)(MathMode math, size_t n, float shift, const float* x, float* y);
};

// Null where the target's backend has none.
const SoftmaxKernels* FindSoftmaxKernels(const Target& target);

template <Backend backend, Isa isa>
const SoftmaxKernels& SoftmaxTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const SoftmaxKernels& SoftmaxTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/eigen_targets.inc"
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::kernels
