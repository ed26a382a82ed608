// What a backend provides for optimizer updates.
#pragma once

#include "mlp/kernels/context.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {

struct UpdateKernels {
  Target target;
  void (*run)(OptimizerKind kind, MathMode math, const UpdateStep& step, const UpdateSpans& spans);
};

// Null where the target's backend has none.
const UpdateKernels* FindUpdateKernels(const Target& target);

template <Backend backend, Isa isa>
const UpdateKernels& UpdateTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const UpdateKernels& UpdateTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::kernels
