#include "mlp/kernels/pairs/pairs.h"

#include "mlp/kernels/pairs/kernels.h"

namespace mlp::kernels {

const PairKernels* FindPairKernels(const Target& target) {
  if (target == Target{Backend::kSimd, Isa::kAvx512} && HasAvx512Bf16()) return &NativePairTable();
#define MLP_TARGET(backend, isa) \
  if (target == Target{Backend::backend, Isa::isa}) return &PairTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

const PairKernels* FindTileKernels(const Target& target) {
  const bool has = target == Target{Backend::kSimd, Isa::kAvx512} && HasAvx512Bf16();
  return has && HasAmxBf16() ? &TilePairTable() : nullptr;
}

}  // namespace mlp::kernels
