// What a backend provides for pairs.
#pragma once

#include "mlp/kernels/pairs/pairs.h"

namespace mlp::kernels {

template <Backend backend, Isa isa>
const PairKernels& PairTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const PairKernels& PairTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

// For CPUs with AVX512_BF16.
const PairKernels& NativePairTable();

// For those that have AMX_BF16, too.
const PairKernels& TilePairTable();

}  // namespace mlp::kernels
