// What a backend provides for tiny nets.
#pragma once

#include "mlp/kernels/tiny/tiny.h"

namespace mlp::kernels {

template <Backend backend, Isa isa>
const TinyKernels& TinyTable();
template <>
const TinyKernels& TinyTable<Backend::kSimd, Isa::kSse2>();
template <>
const TinyKernels& TinyTable<Backend::kSimd, Isa::kAvx2>();
template <>
const TinyKernels& TinyTable<Backend::kSimd, Isa::kAvx512>();

}  // namespace mlp::kernels
