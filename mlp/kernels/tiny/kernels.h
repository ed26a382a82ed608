// What a backend provides for tiny nets.
#pragma once

#include "mlp/kernels/tiny/tiny.h"

namespace mlp::kernels {

template <Backend backend, Isa isa>
const TinyKernels& TinyTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const TinyKernels& TinyTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::kernels
