// From an optimizer's kind and an accuracy to the functor and the policy that are meant.
#pragma once

#include "mlp/kernels/math.h"
#include "mlp/kernels/update/optimizer_math.h"

namespace mlp::kernels {
namespace {

// visit.operator()<Optimizer, Math>().
template <class Visit>
[[gnu::always_inline]] inline void ForOptimizer(OptimizerKind kind, MathMode math, Visit visit) {
  switch (kind) {
#define MLP_OPTIMIZER(functor, name)                                                \
  case OptimizerKind::k##functor:                                                   \
    return math == MathMode::kFast ? visit.template operator()<functor, FastMath>() \
                                   : visit.template operator()<functor, ExactMath>();
#include "mlp/kernels/update/optimizers.inc"
#undef MLP_OPTIMIZER
  }
}

}  // namespace
}  // namespace mlp::kernels
