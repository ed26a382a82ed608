// What a backend provides for softmax: two passes over one row, and a whole loss for short rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mlp/kernels/context.h"

namespace mlp::kernels {

// SoftmaxCrossEntropy (softmax.h) of rows so short that a vector would be emptier than with one
// column of as many rows as it has lanes.
struct NarrowCrossEntropy {
  static constexpr size_t kMaxClasses = 32;
  size_t rows;
  size_t classes;
  const float* logits;
  size_t logits_stride;
  const uint8_t* labels;  // [rows], below classes
  float scale;
  float* losses;    // [rows]
  uint8_t* hits;    // [rows]
  float* gradient;  // may be logits
  size_t gradient_stride;
};

struct SoftmaxKernels {
  Target target;
  // The largest of x[0 .. n-1], n > 0.
  float (*max)(size_t n, const float* x);
  // y[j] = e^(x[j] - shift) for j < n, and their sum. y may be x.
  float (*exp)(MathMode math, size_t n, float shift, const float* x, float* y);
  // Null where the backend has none.
  void (*narrow_cross_entropy)(MathMode math, const NarrowCrossEntropy& job) = nullptr;
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
