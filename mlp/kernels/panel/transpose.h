// Transposed blocks, by the instructions of the set that the including source is compiled for.
#pragma once

#include "mlp/base/simd.h"

namespace mlp::kernels {
namespace {

// to[i, j] = from[j, i] for kBlock x kBlock elements of 32 bits, rows kStride apart.
#ifdef __AVX512F__
// 16 x 16 elements: pairs, fours, then quarters of vectors change places.
template <size_t kStride>
[[gnu::always_inline]] inline void TransposeBlock(const float* from, float* to) {
  constexpr size_t kSide = 16;
  __m512 a[kSide], b[kSide];
#pragma GCC unroll 16
  for (size_t i = 0; i < kSide; ++i) a[i] = _mm512_load_ps(from + i * kStride);
#pragma GCC unroll 8
  for (size_t i = 0; i < kSide; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
  // a[4 g + c]: in each quarter q, rows 4 g .. 4 g + 3 of column 4 q + c.
#pragma GCC unroll 4
  for (size_t i = 0; i < kSide; i += 4) {
    a[i] = _mm512_shuffle_ps(b[i], b[i + 2], 0x44);
    a[i + 1] = _mm512_shuffle_ps(b[i], b[i + 2], 0xee);
    a[i + 2] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0x44);
    a[i + 3] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (size_t c = 0; c < 4; ++c) {
    const __m512 even = _mm512_shuffle_f32x4(a[c], a[4 + c], 0x88);  // quarters 0, 2
    const __m512 odd = _mm512_shuffle_f32x4(a[c], a[4 + c], 0xdd);   // quarters 1, 3
    const __m512 next_even = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0x88);
    const __m512 next_odd = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0xdd);
    _mm512_store_ps(to + c * kStride, _mm512_shuffle_f32x4(even, next_even, 0x88));
    _mm512_store_ps(to + (4 + c) * kStride, _mm512_shuffle_f32x4(odd, next_odd, 0x88));
    _mm512_store_ps(to + (8 + c) * kStride, _mm512_shuffle_f32x4(even, next_even, 0xdd));
    _mm512_store_ps(to + (12 + c) * kStride, _mm512_shuffle_f32x4(odd, next_odd, 0xdd));
  }
}
constexpr size_t kBlock = 16;
#else
template <size_t kStride>
[[gnu::always_inline]] inline void TransposeBlock(const float* from, float* to) {
  Transpose4x4(from, kStride, to, kStride);
}
constexpr size_t kBlock = 4;
#endif

}  // namespace
}  // namespace mlp::kernels
