#include "mlp/kernels/panel/panel.h"

#include "mlp/kernels/panel/kernels.h"

namespace mlp::kernels {

const PanelKernels* FindPanelKernels(const Target& target) {
#define MLP_TARGET(backend, isa)                    \
  if (target == Target{Backend::backend, Isa::isa}) \
    return &PanelTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

}  // namespace mlp::kernels
