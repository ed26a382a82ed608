// From an activation's name to the function on values.
#pragma once

#include "mlp/autograd/value.h"
#include "mlp/kernels/elementwise/activation.h"

namespace mlp::autograd {

// f(x). The identity records nothing.
template <class T>
Value<T> Activate(kernels::Activation activation, Value<T>&& x) {
  switch (activation) {
    case kernels::Activation::kIdentity:
      return std::move(x);
    case kernels::Activation::kRelu:
      return relu(x);
    case kernels::Activation::kLeakyRelu:
      return leaky_relu(x);
    case kernels::Activation::kSigmoid:
      return sigmoid(x);
    case kernels::Activation::kTanh:
      return tanh(x);
    case kernels::Activation::kSilu:
      return silu(x);
  }
  __builtin_unreachable();
}

}  // namespace mlp::autograd
