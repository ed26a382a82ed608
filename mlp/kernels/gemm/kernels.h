// What a backend provides for matrix products.
#pragma once

#include "mlp/kernels/context.h"
#include "mlp/kernels/gemm/gemm.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

enum class GemmForm { kNN, kNT, kTN };

// One block of c = op(a) op(b) + bias (+ c), run by one thread. Never empty in m or n; k may be 0.
struct GemmBlock {
  GemmForm form;
  ConstMatrix a;
  ConstMatrix b;
  const float* bias;  // [n] or null
  Output output;
  Matrix c;
};

struct GemmKernels {
  Target target;
  void (*run)(const GemmBlock& block);
  // Blocks begin at multiples of these. Where an element's bits depend on the block that it is
  // computed in (fixed_blocks), blocks are never merged, so that all teams compute the same ones.
  size_t block_rows;
  size_t block_cols;
  bool fixed_blocks;
};

// Null where the target's backend has none.
const GemmKernels* FindGemmKernels(const Target& target);

template <Backend backend, Isa isa>
const GemmKernels& GemmTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const GemmKernels& GemmTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/eigen_targets.inc"
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::kernels
