// What a backend provides for panels.
#pragma once

#include "mlp/kernels/panel/panel.h"

namespace mlp::kernels {

template <Backend backend, Isa isa>
const PanelKernels& PanelTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const PanelKernels& PanelTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::kernels
