// The vocabulary of formulas that are written once for every value type V: float, double, and the
// vectors of each instruction set.
//
// A formula takes a policy: ExactMath rounds as the C++ library or the vector library does (1 to 2
// ulp); FastMath approximates to the bound stated at each function, for speed. Formulas are always
// inlined: the compiler would sooner call what many loops share, once for each vector.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace mlp::kernels {

// Plain numbers learn here what vectors bring along.
template <class T>
T select(bool condition, T a, T b) {
  return condition ? a : b;
}
// b where either is NaN, as the CPU's instructions have it: a NaN gets through as the second
// operand.
template <class T>
T max(T a, T b) {
  return a > b ? a : b;
}
template <class T>
T min(T a, T b) {
  return a < b ? a : b;
}
using std::exp;
using std::nearbyint;
using std::sqrt;
using std::tanh;

// What a value type does in its own way. Vectors specialise this in math_simd.h.
template <class V>
struct Primitives {
  // Said outright: left to the compiler, which of two products it fuses with their sum could differ
  // between a loop's body and its tail. Always inlined: what it comes to depends on the flags of
  // the source that uses it.
  [[gnu::always_inline]] static V MulAdd(V a, V b, V c) {
#ifdef __FMA__
    return std::fma(a, b, c);
#else
    return a * b + c;
#endif
  }
  [[gnu::always_inline]] static V SubMul(V c, V a, V b) { return MulAdd(-a, b, c); }
  // Whether 1 / x and 1 / sqrt(x) have fast estimates that are the same on every CPU, as starting
  // points for Newton's iteration: V ReciprocalEstimate(V), V RsqrtEstimate(V).
  static constexpr bool kEstimates = false;
  // 2^n for an integral n in [-126, 127], some number for NaN.
  static V PowerOfTwo(V n) {
    const int32_t exponent = n == n ? static_cast<int32_t>(n) : 0;
    return static_cast<V>(std::bit_cast<float>((exponent + 127) << 23));
  }
};

// a * b + c, fused where the value type has an instruction for it.
template <class V>
[[gnu::always_inline]] inline V mul_add(V a, V b, V c) {
  return Primitives<V>::MulAdd(a, b, c);
}

// c - a * b, likewise.
template <class V>
[[gnu::always_inline]] inline V sub_mul(V c, V a, V b) {
  return Primitives<V>::SubMul(c, a, b);
}

struct ExactMath {
  template <class V>
  [[gnu::always_inline]] static V Exp(V x) {
    return exp(x);
  }
  template <class V>
  [[gnu::always_inline]] static V Tanh(V x) {
    return tanh(x);
  }
  template <class V>
  [[gnu::always_inline]] static V Divide(V a, V b) {
    return a / b;
  }
  // a / (sqrt(b) * scale + epsilon), b >= 0.
  template <class V>
  [[gnu::always_inline]] static V DivideByRoot(V a, V b, V scale, V epsilon) {
    return a / (sqrt(b) * scale + epsilon);
  }
};

struct FastMath {
  // Relative error below 4e-6 on [-10, 10] and below 8e-6 on [-87, 88], where the rounding of t
  // counts; clamped outside. e^x = 2^n 2^f with f in [-1/2, 1/2] and a polynomial for 2^f (Taylor's
  // to the fifth power).
  template <class V>
  [[gnu::always_inline]] static V Exp(V x) {
    const V t = min(V(88.0f), max(V(-87.0f), x)) * V(1.44269504f);
    const V n = nearbyint(t);
    const V f = t - n;
    V p = V(1.3333558e-3f);
    p = mul_add(p, f, V(9.6181291e-3f));
    p = mul_add(p, f, V(5.5504109e-2f));
    p = mul_add(p, f, V(2.4022651e-1f));
    p = mul_add(p, f, V(6.9314718e-1f));
    p = mul_add(p, f, V(1.0f));
    return p * Primitives<V>::PowerOfTwo(n);
  }
  // Absolute error below 4e-6: tanh(x) = 1 - 2 / (e^(2x) + 1).
  template <class V>
  [[gnu::always_inline]] static V Tanh(V x) {
    return V(1.0f) - Divide(V(2.0f), Exp(x + x) + V(1.0f));
  }
  // With estimates (AVX-512: 14 bits) one Newton step, relative error below 1e-6, 0 where 1 / b is
  // denormal. Else exact: on smaller vectors division is no slower than the detour.
  template <class V>
  [[gnu::always_inline]] static V Divide(V a, V b) {
    if constexpr (Primitives<V>::kEstimates) {
      const V r = Primitives<V>::ReciprocalEstimate(b);
      const V quotient = a * r;
      return mul_add(sub_mul(a, b, quotient), r, quotient);
    } else {
      return a / b;
    }
  }
  // Likewise, relative error below 2e-6; a / epsilon at b = 0, and below 1e-36 the root is too
  // small, by 1e-18 at most, of which nothing is left beside a usual epsilon. The root by an
  // estimate and a Newton step, the quotient by the divider: it works beside the multipliers, where
  // a second estimate would queue for them.
  template <class V>
  [[gnu::always_inline]] static V DivideByRoot(V a, V b, V scale, V epsilon) {
    if constexpr (Primitives<V>::kEstimates) {
      const V r = Primitives<V>::RsqrtEstimate(max(b, V(1e-36f)));
      const V estimate = b * r;
      const V twice = estimate * sub_mul(V(3.0f), estimate, r);
      return a / mul_add(twice, V(0.5f) * scale, epsilon);
    } else {
      return a / mul_add(sqrt(b), scale, epsilon);
    }
  }
};

}  // namespace mlp::kernels
