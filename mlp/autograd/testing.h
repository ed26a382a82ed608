// For tests.
#pragma once

#include <cstddef>
#include <type_traits>

#include "mlp/autograd/value.h"

namespace mlp::autograd {

// Every op at once, of inputs in (0.5, 1.5).
inline constexpr auto kEverything = [](auto x) {
  using X = std::remove_cvref_t<decltype(x[0])>;
  X y = 0.0;
  for (size_t i = 0; i + 1 < x.size(); ++i) y += x[i] * x[i + 1];
  for (size_t i = 0; i < x.size(); ++i) y += x[i];
  y = y / (x[0] * x[1] + 1.0) - log(x[2]) + sqrt(x[0] + x[3]) + pow(x[1], 3) + pow(x[2], x[3]);
  y = y + exp(-x[0]) + sin(x[1]) * cos(x[2]) + tanh(x[3]) + abs(x[0] - 2.0) + max(x[0], x[1] + 2.0);
  y = y + sigmoid(x[0]) + relu(x[1]) + leaky_relu(-x[2]) + elu(-x[3]) + silu(x[0]) + gelu(x[1]) +
      softplus(x[2]) + min(x[0] * x[2], 5.0);
  y = y + tan(x[0] * 0.5) + asin(x[1] * 0.5) + acos(x[2] * 0.5) + atan(x[3]) + sinh(x[0]) +
      cosh(x[1]) + erf(x[2]) + cbrt(x[3]) + expm1(x[0]) + log1p(x[1]) + atan2(x[2], x[3]) +
      hypot(x[0], x[1]) + atan2(1.0, x[0]) + hypot(x[1], 2.0);
  for (size_t i = 0; i + 1 < x.size(); ++i) y -= x[i] * x[i + 1];
  return y;
};

}  // namespace mlp::autograd
