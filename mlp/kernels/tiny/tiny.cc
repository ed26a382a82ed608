#include "mlp/kernels/tiny/tiny.h"

#include "mlp/kernels/tiny/kernels.h"

namespace mlp::kernels {

const TinyKernels* FindTinyKernels(const Target& target) {
  if (target.backend != Backend::kSimd) return nullptr;
  switch (target.isa) {
    case Isa::kSse2:
      return &TinyTable<Backend::kSimd, Isa::kSse2>();
    case Isa::kAvx2:
      return &TinyTable<Backend::kSimd, Isa::kAvx2>();
    case Isa::kAvx512:
      return &TinyTable<Backend::kSimd, Isa::kAvx512>();
  }
  __builtin_unreachable();
}

}  // namespace mlp::kernels
