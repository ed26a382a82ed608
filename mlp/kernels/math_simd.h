// The vocabulary of math.h for vectors. Included by simd.cc files alone.
#pragma once

#include <type_traits>
#include <xsimd/xsimd.hpp>

#include "mlp/kernels/math.h"

namespace mlp::kernels {

template <class Arch>
struct Primitives<xsimd::batch<float, Arch>> {
  using V = xsimd::batch<float, Arch>;
  static constexpr bool kAvx512 = std::is_base_of_v<xsimd::avx512f, Arch>;

  static V MulAdd(V a, V b, V c) { return xsimd::fma(a, b, c); }

  // xsimd 8.1 asks for instructions of Xeon Phi here; every AVX-512 CPU has the 14-bit estimates.
  static V ReciprocalEstimate(V x) {
#ifdef __AVX512F__
    if constexpr (kAvx512) return _mm512_rcp14_ps(x);
#endif
    if constexpr (!kAvx512) return xsimd::reciprocal(x);
  }
  static V RsqrtEstimate(V x) {
#ifdef __AVX512F__
    if constexpr (kAvx512) return _mm512_rsqrt14_ps(x);
#endif
    if constexpr (!kAvx512) return xsimd::rsqrt(x);
  }

  static V PowerOfTwo(V n) { return xsimd::bitwise_cast<V>((xsimd::to_int(n) + 127) << 23); }
};

}  // namespace mlp::kernels
