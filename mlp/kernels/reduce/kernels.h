// What a backend provides for sums. Each function is run by one thread.
#pragma once

#include <cstddef>

#include "mlp/kernels/context.h"
#include "mlp/kernels/output.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

struct ReduceKernels {
  Target target;
  // sums[j] = or += sum of x[i, j] over i.
  void (*column_sums)(ConstMatrix x, Output output, float* sums);
  // Sum of x[i]^2 for i < n.
  float (*sum_of_squares)(size_t n, const float* x);
};

// Null where the target's backend has none.
const ReduceKernels* FindReduceKernels(const Target& target);

template <Backend backend, Isa isa>
const ReduceKernels& ReduceTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const ReduceKernels& ReduceTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::kernels
