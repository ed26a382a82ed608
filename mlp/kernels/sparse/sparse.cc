#include "mlp/kernels/sparse/sparse.h"

#include "mlp/kernels/sparse/kernels.h"

namespace mlp::kernels {

const SparseKernels* FindSparseKernels(const Target& target) {
#define MLP_TARGET(backend, isa)                    \
  if (target == Target{Backend::backend, Isa::isa}) \
    return &SparseTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

}  // namespace mlp::kernels
