// From an optimizer's name to a loop over the parameters, for whichever loop a backend brings.
#pragma once

#include "mlp/kernels/update/kernels.h"
#include "mlp/kernels/update/optimizer_math.h"

namespace mlp::kernels {
namespace {

// Loops::Run<Optimizer, Math>(step, spans) updates all elements of spans.
template <class Loops>
void RunUpdate(OptimizerKind kind, MathMode math, const UpdateStep& step,
               const UpdateSpans& spans) {
  switch (kind) {
#define MLP_OPTIMIZER(functor, name)                                                     \
  case OptimizerKind::k##functor:                                                        \
    return math == MathMode::kFast ? Loops::template Run<functor, FastMath>(step, spans) \
                                   : Loops::template Run<functor, ExactMath>(step, spans);
#include "mlp/kernels/update/optimizers.inc"
#undef MLP_OPTIMIZER
  }
}

}  // namespace
}  // namespace mlp::kernels
