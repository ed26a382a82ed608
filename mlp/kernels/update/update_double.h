// The optimizers' formulas on parameters in double precision: where rounding must not show, and
// speed matters less.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "mlp/kernels/update/for_optimizer.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {

// All spans of the same length; states beyond States(kind) are empty.
inline void UpdateDouble(OptimizerKind kind, const UpdateStepOf<double>& step,
                         std::span<double> parameters, std::span<const double> gradient,
                         const std::array<std::span<double>, kMaxStates>& states) {
  ForOptimizer(kind, MathMode::kExact, [&]<class Optimizer, class Math>() {
    for (size_t i = 0; i < parameters.size(); ++i) {
      double s[kMaxStates] = {};
      for (size_t k = 0; k < Optimizer::kStates; ++k) s[k] = states[k][i];
      Optimizer::template Apply<Math>(step, gradient[i], parameters[i], s);
      for (size_t k = 0; k < Optimizer::kStates; ++k) states[k][i] = s[k];
    }
  });
}

}  // namespace mlp::kernels
