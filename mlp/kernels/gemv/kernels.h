// What a backend provides for products of one row.
#pragma once

#include "mlp/kernels/gemv/gemv.h"

namespace mlp::kernels {

template <Backend backend, Isa isa>
const GemvKernels& GemvTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const GemvKernels& GemvTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::kernels
