// Products of words, and the ways into words. Built once more with -mavx512bf16.
#include "mlp/base/simd.h"

#include <bit>

#include "mlp/kernels/pairs/kernels.h"
#include "mlp/kernels/panel/tiles.h"

namespace mlp::kernels {
namespace {

struct Pair {
  static constexpr size_t kSamplesPerLine = 4;
  [[gnu::always_inline]] static V Apply(V element, V row, V sum) {
#ifdef __AVX512BF16__
    return _mm512_dpbf16_ps(sum, std::bit_cast<__m512bh>(static_cast<__m512>(element)),
                            std::bit_cast<__m512bh>(static_cast<__m512>(row)));
#else
    sum = MulAdd(Upper(element), Upper(row), sum);
    return MulAdd(Lower(element), Lower(row), sum);
#endif
  }

 private:
  using Bits = xsimd::batch<uint32_t, V::arch_type>;
  [[gnu::always_inline]] static V Upper(V words) {
    return xsimd::bitwise_cast<V>(xsimd::bitwise_cast<Bits>(words) & Bits(0xffff0000u));
  }
  [[gnu::always_inline]] static V Lower(V words) {
    return xsimd::bitwise_cast<V>(xsimd::bitwise_cast<Bits>(words) << 16);
  }
};

// Rounded to bfloat16, in the upper half; the lower is noise. A quiet NaN stays one.
[[gnu::always_inline]] inline uint32_t Round(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return bits + 0x7fff + (bits >> 16 & 1);
}
// Exact in the upper half.
[[gnu::always_inline]] inline uint32_t Round(uint8_t x) {
  return std::bit_cast<uint32_t>(static_cast<float>(x));
}
[[gnu::always_inline]] inline float Word(uint32_t lower, uint32_t upper) {
  return std::bit_cast<float>(lower >> 16 | (upper & 0xffff0000));
}

#ifdef __AVX512BF16__
static_assert(kWidth == 32);
// 16 numbers from 16 floats or bytes.
[[gnu::always_inline]] inline __m512 Load(const float* from) { return _mm512_load_ps(from); }
[[gnu::always_inline]] inline __m512 Load(const uint8_t* from) {
  return _mm512_cvtepi32_ps(
      _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(from))));
}
[[gnu::always_inline]] inline __m512i Pack(__m512 lower, __m512 upper) {
  return std::bit_cast<__m512i>(_mm512_cvtne2ps_pbh(upper, lower));
}

template <class T>
void Columns(size_t rows, const T* first, const T* second, float* to) {
  for (size_t i = 0; i < rows; ++i) {
    _mm512_store_si512(to, Pack(Load(first), Load(first + kLanes)));
    _mm512_store_si512(to + kLanes, second == nullptr ? _mm512_setzero_si512()
                                                      : Pack(Load(second), Load(second + kLanes)));
    first += kWidth;
    if (second != nullptr) second += kWidth;
    to += kWidth;
  }
}

void FloatRows(size_t rows, float scale, const float* panel, float* to) {
  // The halves of a packed vector, interleaved.
  alignas(64) uint16_t lanes[kWidth];
  for (uint16_t k = 0; k < kWidth; ++k) {
    lanes[k] = static_cast<uint16_t>(k / 2 + (k % 2) * kLanes);
  }
  const __m512i interleave = _mm512_load_si512(lanes);
  const __m512 factor = _mm512_set1_ps(scale);
  for (size_t i = 0; i < rows; i += 2) {
    for (size_t v = 0; v < kWidth; v += kLanes) {
      const __m512 lower = _mm512_mul_ps(factor, _mm512_load_ps(panel + v));
      const __m512 upper = i + 1 < rows ? _mm512_mul_ps(factor, _mm512_load_ps(panel + kWidth + v))
                                        : _mm512_setzero_ps();
      _mm512_store_si512(to + v, _mm512_permutexvar_epi16(interleave, Pack(lower, upper)));
    }
    panel += 2 * kWidth;
    to += kWidth;
  }
}
#else
template <class T>
void Columns(size_t rows, const T* first, const T* second, float* to) {
  for (size_t i = 0; i < rows; ++i) {
    for (size_t w = 0; w < kWidth / 2; ++w) {
      to[w] = Word(Round(first[2 * w]), Round(first[2 * w + 1]));
    }
    first += kWidth;
    for (size_t w = 0; w < kWidth / 2; ++w) {
      to[kWidth / 2 + w] =
          second == nullptr ? 0.0f : Word(Round(second[2 * w]), Round(second[2 * w + 1]));
    }
    if (second != nullptr) second += kWidth;
    to += kWidth;
  }
}

void FloatRows(size_t rows, float scale, const float* panel, float* to) {
  for (size_t i = 0; i < rows; i += 2) {
    const bool is_whole = i + 1 < rows;
    const float* next = is_whole ? panel + kWidth : panel;
    const float next_scale = is_whole ? scale : 0.0f;
    for (size_t j = 0; j < kWidth; ++j) {
      to[j] = Word(Round(scale * panel[j]), Round(next_scale * next[j]));
    }
    panel += 2 * kWidth;
    to += kWidth;
  }
}

#endif

void ByteRows(size_t rows, const uint8_t* panel, float* to) {
  for (size_t i = 0; i < rows; i += 2) {
    if (i + 1 < rows) {
      for (size_t j = 0; j < kWidth; ++j) {
        to[j] = Word(Round(panel[j]), Round(panel[kWidth + j]));
      }
    } else {
      for (size_t j = 0; j < kWidth; ++j) to[j] = Word(Round(panel[j]), 0);
    }
    panel += 2 * kWidth;
    to += kWidth;
  }
}

constexpr PairKernels Table(bool native) {
  return {{Backend::kSimd, Isa::MLP_TARGET_ISA},
          native,
          kWidth,
          Product<Pair>,
          Update<Pair>,
          Columns<float>,
          FloatRows,
          Columns<uint8_t>,
          ByteRows};
}

}  // namespace

#ifdef __AVX512BF16__
const PairKernels& NativePairTable() {
  static constexpr PairKernels kTable = Table(true);
  return kTable;
}
#else
template <>
const PairKernels& PairTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr PairKernels kTable = Table(false);
  return kTable;
}
#endif

}  // namespace mlp::kernels
