// What a backend provides for sparse bytes.
#pragma once

#include "mlp/kernels/sparse/sparse.h"

namespace mlp::kernels {

template <Backend backend, Isa isa>
const SparseKernels& SparseTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const SparseKernels& SparseTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

// SparseKernels::unpack where HasAvx512Vbmi2().
void UnpackByExpanding(const SparseUnpack& job);

}  // namespace mlp::kernels
