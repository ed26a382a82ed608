#include "mlp/kernels/tiny/tiny.h"

#include "mlp/kernels/tiny/kernels.h"

namespace mlp::kernels {

const TinyKernels* FindTinyKernels(const Target& target) {
  if (target.backend != Backend::kSimd) return nullptr;
  return target.isa == Isa::kSse2 ? &TinyTable<Backend::kSimd, Isa::kSse2>()
                                  : &TinyTable<Backend::kSimd, Isa::kAvx2>();
}

}  // namespace mlp::kernels
