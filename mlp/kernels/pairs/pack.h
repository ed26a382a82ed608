// The ways into words. Included by sources that are compiled for one instruction set, with the
// CPU's conversions where these have them.
#pragma once

#include <algorithm>
#include <bit>

#include "mlp/base/simd.h"
#include "mlp/kernels/pairs/kernels.h"

namespace mlp::kernels {
namespace {

#ifdef __AVX512BF16__
// 16 numbers from 16 floats or bytes.
[[gnu::always_inline]] inline __m512 Load(const float* from) { return _mm512_load_ps(from); }
[[gnu::always_inline]] inline __m512 Load(const uint8_t* from) {
  return _mm512_cvtepi32_ps(
      _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(from))));
}
// 16 + 16 numbers rounded.
[[gnu::always_inline]] inline __m512i Round(__m512 lower, __m512 upper) {
  return std::bit_cast<__m512i>(_mm512_cvtne2ps_pbh(upper, lower));
}
// Takes them off the numbers.
[[gnu::always_inline]] inline void Subtract(__m512i rounded, __m512& lower, __m512& upper) {
  const auto value = [](__m256i half) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
  };
  lower = _mm512_sub_ps(lower, value(_mm512_castsi512_si256(rounded)));
  upper = _mm512_sub_ps(upper, value(_mm512_extracti64x4_epi64(rounded, 1)));
}

// One row of a panel: 32 elements make 16 words.
template <class T>
[[gnu::always_inline]] inline void PackRow(const T* from, float* to, const Split& split) {
  if (from == nullptr) {
    for (size_t t = 0; t < split.terms; ++t) {
      _mm512_store_si512(to + t * split.stride, _mm512_setzero_si512());
    }
    return;
  }
  __m512 lower = Load(from), upper = Load(from + 16);
  for (size_t t = 0;; ++t) {
    const __m512i rounded = Round(lower, upper);
    _mm512_store_si512(to + t * split.stride, rounded);
    if (t + 1 == split.terms) return;
    Subtract(rounded, lower, upper);
  }
}

template <size_t kWidth, class T>
void PackColumns(size_t rows, const T* first, const T* second, const Split& to) {
  static_assert(kWidth == 32);
  for (size_t i = 0; i < rows; ++i) {
    PackRow(first + i * kWidth, to.to + i * kWidth, to);
    PackRow(second == nullptr ? nullptr : second + i * kWidth, to.to + i * kWidth + 16, to);
  }
}

template <size_t kWidth>
void PackRows(size_t rows, float scale, const float* panel, const Split& to) {
  static_assert(kWidth == 32);
  // The halves of a packed vector, interleaved.
  alignas(64) uint16_t lanes[kWidth];
  for (uint16_t k = 0; k < kWidth; ++k) lanes[k] = static_cast<uint16_t>(k / 2 + (k % 2) * 16);
  const __m512i interleave = _mm512_load_si512(lanes);
  const __m512 factor = _mm512_set1_ps(scale);
  for (size_t i = 0; i < rows; i += 2) {
    for (size_t v = 0; v < kWidth; v += 16) {
      const float* from = panel + i * kWidth + v;
      __m512 lower = _mm512_mul_ps(factor, _mm512_load_ps(from));
      __m512 upper =
          i + 1 < rows ? _mm512_mul_ps(factor, _mm512_load_ps(from + kWidth)) : _mm512_setzero_ps();
      for (size_t t = 0;; ++t) {
        const __m512i rounded = Round(lower, upper);
        _mm512_store_si512(to.to + t * to.stride + i / 2 * kWidth + v,
                           _mm512_permutexvar_epi16(interleave, rounded));
        if (t + 1 == to.terms) break;
        Subtract(rounded, lower, upper);
      }
    }
  }
}
#else
// The next term, in the upper half, of a number that keeps what that leaves of it. A quiet NaN
// stays one.
[[gnu::always_inline]] inline uint32_t Take(float& x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const uint32_t term = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  x -= std::bit_cast<float>(term);
  return term;
}

template <size_t kWidth, class T>
void PackColumns(size_t rows, const T* first, const T* second, const Split& to) {
  float left[2 * kWidth];
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < kWidth; ++j) left[j] = static_cast<float>(first[i * kWidth + j]);
    for (size_t j = 0; j < kWidth; ++j) {
      left[kWidth + j] = second == nullptr ? 0.0f : static_cast<float>(second[i * kWidth + j]);
    }
    for (size_t t = 0; t < to.terms; ++t) {
      float* words = to.to + t * to.stride + i * kWidth;
      for (size_t w = 0; w < kWidth; ++w) {
        const uint32_t lower = Take(left[2 * w]);
        words[w] = std::bit_cast<float>(lower >> 16 | Take(left[2 * w + 1]));
      }
    }
  }
}

template <size_t kWidth>
void PackRows(size_t rows, float scale, const float* panel, const Split& to) {
  float lower[kWidth], upper[kWidth];
  for (size_t i = 0; i < rows; i += 2) {
    const float* from = panel + i * kWidth;
    const bool is_last = i + 1 == rows;
    for (size_t j = 0; j < kWidth; ++j) lower[j] = scale * from[j];
    for (size_t j = 0; j < kWidth; ++j) upper[j] = is_last ? 0.0f : scale * from[kWidth + j];
    for (size_t t = 0; t < to.terms; ++t) {
      float* words = to.to + t * to.stride + i / 2 * kWidth;
      for (size_t j = 0; j < kWidth; ++j) {
        words[j] = std::bit_cast<float>(Take(lower[j]) >> 16 | Take(upper[j]));
      }
    }
  }
}
#endif

template <size_t kWidth>
void PackByteColumns(size_t rows, const uint8_t* first, const uint8_t* second, float* to) {
  PackColumns<kWidth>(rows, first, second, Split{to, 1, 0});
}

// Left to the compiler, which knows how each instruction set widens bytes. A byte is exact in the
// upper half of its float.
template <size_t kWidth>
void PackByteRows(size_t rows, const uint8_t* panel, float* to) {
  const auto bits = [](uint8_t x) { return std::bit_cast<uint32_t>(static_cast<float>(x)); };
  for (size_t i = 0; i < rows; i += 2) {
    if (i + 1 < rows) {
      for (size_t j = 0; j < kWidth; ++j) {
        to[j] = std::bit_cast<float>(bits(panel[j]) >> 16 | bits(panel[kWidth + j]));
      }
    } else {
      for (size_t j = 0; j < kWidth; ++j) to[j] = std::bit_cast<float>(bits(panel[j]) >> 16);
    }
    panel += 2 * kWidth;
    to += kWidth;
  }
}

}  // namespace
}  // namespace mlp::kernels
