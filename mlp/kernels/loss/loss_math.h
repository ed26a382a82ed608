// Losses that look at one output at a time, each written once, for any value type V and accuracy
// Math (see math.h). z: an output, t: what it should be.
//
//   Value<Math>(z, t, slope)   the loss; slope becomes its derivative with respect to z
//   Output<Math>(z)            what the output stands for
//   kThreshold                 a single output above it stands for class 1
#pragma once

#include <array>
#include <cmath>
#include <type_traits>

#include "mlp/kernels/elementwise/activation_math.h"
#include "mlp/kernels/math.h"

namespace mlp::kernels {

// log(1 + x), 0 <= x <= 1. FastMath: relative error below 3e-7, by the polynomial for log(1 + x) /
// x that interpolates it in Chebyshev's points.
template <class Math, class V>
V Log1p(V x) {
  if constexpr (std::is_same_v<Math, FastMath>) {
    constexpr std::array kCoefficients = {5.25345779e-3f,  -2.95885074e-2f, 7.83616680e-2f,
                                          -1.36747697e-1f, 1.91114311e-1f,  -2.48443699e-1f,
                                          3.33192713e-1f,  -4.99995015e-1f, 9.99999971e-1f};
    V p(kCoefficients[0]);
    for (size_t i = 1; i < kCoefficients.size(); ++i) p = mul_add(p, x, V(kCoefficients[i]));
    return p * x;
  } else {
    using std::log1p;
    return log1p(x);
  }
}

// -t log s(z) - (1 - t) log(1 - s(z)) with the logistic function s, as max(z, 0) - t z +
// log(1 + e^-|z|): nothing overflows, and no digit is lost where s(z) is nearly 0 or 1.
struct BinaryCrossEntropy {
  static constexpr float kThreshold = 0;
  template <class Math, class V>
  static V Output(V z) {
    return Sigmoid::Value<Math>(z);
  }
  template <class Math, class V>
  static V Value(V z, V t, V& slope) {
    const V e = Math::Exp(min(z, -z));
    slope = Math::Divide(select(z < V(0.0f), e, V(1.0f)), V(1.0f) + e) - t;
    return max(z, V(0.0f)) - t * z + Log1p<Math>(e);
  }
};

// (z - t)^2.
struct MeanSquaredError {
  static constexpr float kThreshold = 0.5f;
  template <class Math, class V>
  static V Output(V z) {
    return z;
  }
  template <class Math, class V>
  static V Value(V z, V t, V& slope) {
    const V difference = z - t;
    slope = difference + difference;
    return difference * difference;
  }
};

}  // namespace mlp::kernels
