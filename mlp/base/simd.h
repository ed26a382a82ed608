// Vectors of one instruction set, and the loop over elements. Included by kernels alone, in files
// compiled with that instruction set's flags.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <xsimd/xsimd.hpp>

#include "mlp/base/isa.h"

namespace mlp {

template <Isa isa>
struct ArchOf;
#define MLP_ISA(enumerator, name, arch) \
  template <>                           \
  struct ArchOf<Isa::enumerator> {      \
    using type = arch;                  \
  };
#include "mlp/base/isas.inc"
#undef MLP_ISA

template <Isa isa>
using Vec = xsimd::batch<float, typename ArchOf<isa>::type>;

// a b + c, rounded once where the instruction set has fused multiply-add. (xsimd 8.1 spells it as
// two instructions with AVX-512.)
template <class V>
[[gnu::always_inline]] inline V MulAdd(V a, V b, V c) {
#ifdef __AVX512F__
  if constexpr (V::size == 16) {
    return _mm512_fmadd_ps(a, b, c);
  }
#endif
  return xsimd::fma(a, b, c);
}

// c - a b, likewise.
template <class V>
[[gnu::always_inline]] inline V SubMul(V c, V a, V b) {
#ifdef __AVX512F__
  if constexpr (V::size == 16) {
    return _mm512_fnmadd_ps(a, b, c);
  }
#endif
  return xsimd::fnma(a, b, c);
}

// To aligned memory past the caches.
template <class V>
[[gnu::always_inline]] inline void StreamAligned(V x, float* to) {
#ifdef __AVX512F__
  if constexpr (V::size == 16) return _mm512_stream_ps(to, x);
#endif
#ifdef __AVX__
  if constexpr (V::size == 8) return _mm256_stream_ps(to, x);
#endif
  if constexpr (V::size == 4) return _mm_stream_ps(to, x);
}

// The first n < V::size lanes from memory, the others 0.
template <class V>
[[gnu::always_inline]] inline V LoadPartial(const float* from, size_t n) {
#ifdef __AVX512F__
  if constexpr (V::size == 16) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), from);
  }
#endif
  alignas(64) float lanes[V::size] = {};
  for (size_t k = 0; k < n; ++k) lanes[k] = from[k];
  return V::load_aligned(lanes);
}

// The first n < V::size lanes to memory.
template <class V>
[[gnu::always_inline]] inline void StorePartial(V v, float* to, size_t n) {
#ifdef __AVX512F__
  if constexpr (V::size == 16) {
    return _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1), v);
  }
#endif
  alignas(64) float lanes[V::size];
  v.store_aligned(lanes);
  for (size_t k = 0; k < n; ++k) to[k] = lanes[k];
}

// to[i, j] = from[j, i] for 4 x 4 elements. By intrinsics, which every x86-64 has: templates of
// another instruction set than the file's own could be merged with those of other files.
[[gnu::always_inline]] inline void Transpose4x4(const float* from, size_t from_stride, float* to,
                                                size_t to_stride) {
  __m128 a = _mm_loadu_ps(from);
  __m128 b = _mm_loadu_ps(from + from_stride);
  __m128 c = _mm_loadu_ps(from + 2 * from_stride);
  __m128 d = _mm_loadu_ps(from + 3 * from_stride);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(to, a);
  _mm_storeu_ps(to + to_stride, b);
  _mm_storeu_ps(to + 2 * to_stride, c);
  _mm_storeu_ps(to + 3 * to_stride, d);
}

// out[i] = f(in[i]...) for i < n. The tail runs as one padded vector, so that a result does not
// depend on its position. out may be one of the inputs.
template <class V, class F, class... In>
[[gnu::always_inline]] inline void Map(size_t n, F f, float* out, const In*... in) {
  constexpr size_t kLanes = V::size;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(V::load_unaligned(in + i)...).store_unaligned(out + i);
  if (i < n) StorePartial(f(LoadPartial<V>(in + i, n - i)...), out + i, n - i);
}

}  // namespace mlp
