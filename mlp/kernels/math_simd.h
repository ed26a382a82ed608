// The vocabulary of math.h for vectors. Included by simd.cc files alone.
#pragma once

#include <xsimd/xsimd.hpp>

#include "mlp/kernels/math.h"

namespace mlp::kernels {

template <class Arch>
struct Primitives<xsimd::batch<float, Arch>> {
  using V = xsimd::batch<float, Arch>;
  // The 14-bit estimates of AVX-512 are defined to the bit; those of older instruction sets differ
  // between makers. (xsimd 8.1 has them for Xeon Phi alone.) AVX-512VL has them for half vectors.
#ifdef __AVX512VL__
  static constexpr bool kEstimates = sizeof(V) >= sizeof(__m256);
#else
  static constexpr bool kEstimates = false;
#endif

  static V MulAdd(V a, V b, V c) { return mlp::MulAdd(a, b, c); }
  static V SubMul(V c, V a, V b) { return mlp::SubMul(c, a, b); }

#ifdef __AVX512VL__
  static V ReciprocalEstimate(V x) {
    if constexpr (sizeof(V) == sizeof(__m256)) {
      return _mm256_rcp14_ps(x);
    } else {
      return _mm512_rcp14_ps(x);
    }
  }
  static V RsqrtEstimate(V x) {
    if constexpr (sizeof(V) == sizeof(__m256)) {
      return _mm256_rsqrt14_ps(x);
    } else {
      return _mm512_rsqrt14_ps(x);
    }
  }
#endif

  static V PowerOfTwo(V n) { return xsimd::bitwise_cast<V>((xsimd::to_int(n) + 127) << 23); }
};

}  // namespace mlp::kernels
