// Activation functions, each written once, for any value type V and accuracy Math (see math.h).
//
//   Value<Math>(x)      y = f(x)
//   Slope<Math>(x, y)   f'(x), where y = f(x)
//   kSlopeFromOutput    whether Slope reads y alone
//
// They hold for all numbers: infinities give the limits, NaN gives NaN, but that a slope which a
// comparison decides may be any of its values then.
#pragma once

#include "mlp/kernels/math.h"

namespace mlp::kernels {

struct Identity {
  static constexpr bool kSlopeFromOutput = true;
  template <class Math, class V>
  static V Value(V x) {
    return x;
  }
  template <class Math, class V>
  static V Slope(V, V) {
    return V(1.0f);
  }
};

// max(x, 0), with slope 0 at 0 (Nair & Hinton 2010).
struct Relu {
  static constexpr bool kSlopeFromOutput = true;
  template <class Math, class V>
  static V Value(V x) {
    return max(V(0.0f), x);
  }
  template <class Math, class V>
  static V Slope(V, V y) {
    return select(y > V(0.0f), V(1.0f), V(0.0f));
  }
};

// Slope 0.01 below zero (Maas, Hannun & Ng 2013).
struct LeakyRelu {
  static constexpr bool kSlopeFromOutput = true;
  template <class Math, class V>
  static V Value(V x) {
    return x * Slope<Math>(x, x);
  }
  template <class Math, class V>
  static V Slope(V, V y) {
    return select(y > V(0.0f), V(1.0f), V(0.01f));
  }
};

// 1 / (1 + e^-x). Without overflow: e^-|x| is at most 1.
struct Sigmoid {
  static constexpr bool kSlopeFromOutput = true;
  template <class Math, class V>
  static V Value(V x) {
    const V e = Math::Exp(min(x, -x));
    return Math::Divide(select(x < V(0.0f), e, V(1.0f)), V(1.0f) + e);
  }
  template <class Math, class V>
  static V Slope(V, V y) {
    return y * (V(1.0f) - y);
  }
};

struct Tanh {
  static constexpr bool kSlopeFromOutput = true;
  template <class Math, class V>
  static V Value(V x) {
    return Math::Tanh(x);
  }
  template <class Math, class V>
  static V Slope(V, V y) {
    return V(1.0f) - y * y;
  }
};

// x * sigmoid(x), also called swish (Elfwing, Uchibe & Doya 2017). The product is x or 0 to the
// last bit outside [-128, 128]; within, no infinity meets a 0.
struct Silu {
  static constexpr bool kSlopeFromOutput = false;
  template <class Math, class V>
  static V Value(V x) {
    return max(V(-128.0f), x) * Sigmoid::Value<Math>(x);
  }
  // s + x s (1 - s), where 1 - s is not subtracted: near 1 s has lost the digits.
  template <class Math, class V>
  static V Slope(V x, V) {
    const V bounded = min(V(128.0f), max(V(-128.0f), x));
    const V e = Math::Exp(min(bounded, -bounded));
    const V larger = Math::Divide(V(1.0f), V(1.0f) + e);
    const V smaller = e * larger;
    const V s = select(x < V(0.0f), smaller, larger);
    return s + bounded * (larger * smaller);
  }
};

}  // namespace mlp::kernels
