#include "mlp/kernels/gemv/gemv.h"

#include "mlp/kernels/gemv/kernels.h"

namespace mlp::kernels {

const GemvKernels* FindGemvKernels(const Target& target) {
#define MLP_TARGET(backend, isa) \
  if (target == Target{Backend::backend, Isa::isa}) return &GemvTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

}  // namespace mlp::kernels
