#include "mlp/kernels/tiny/tiny.h"

#include "mlp/kernels/tiny/kernels.h"

namespace mlp::kernels {

const TinyKernels* FindTinyKernels(const Target& target) {
#define MLP_TARGET(backend, isa) \
  if (target == Target{Backend::backend, Isa::isa}) return &TinyTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

}  // namespace mlp::kernels
