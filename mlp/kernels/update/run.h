// From an optimizer's name to a loop over the parameters, for whichever loop a backend brings.
#pragma once

#include "mlp/kernels/update/for_optimizer.h"
#include "mlp/kernels/update/kernels.h"

namespace mlp::kernels {
namespace {

// Loops::Run<Optimizer, Math>(step, spans) updates all elements of spans.
template <class Loops>
void RunUpdate(OptimizerKind kind, MathMode math, const UpdateStep& step,
               const UpdateSpans& spans) {
  ForOptimizer(kind, math, [&]<class Optimizer, class Math>() {
    Loops::template Run<Optimizer, Math>(step, spans);
  });
}

}  // namespace
}  // namespace mlp::kernels
