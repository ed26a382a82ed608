// Sums of a row or a column in registers.
#include "mlp/base/simd.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "mlp/kernels/copy_runs.h"
#include "mlp/kernels/math_simd.h"
#include "mlp/kernels/sparse/kernels.h"
#include "mlp/kernels/sparse/unpack.h"
#include "mlp/kernels/update/for_optimizer.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;
constexpr size_t kVecsPerPanel = 2;
constexpr size_t kWidth = kVecsPerPanel * kLanes;
constexpr size_t kWord = 64;
static_assert(kSparseColumns == kWord);

// Which of 64 bytes are not 0.
[[gnu::always_inline]] inline uint64_t NonZeros(const uint8_t* x) {
#if defined(__AVX512BW__)
  const __m512i bytes = _mm512_loadu_si512(x);
  return _mm512_test_epi8_mask(bytes, bytes);
#elif defined(__AVX2__)
  uint64_t zeros = 0;
  for (size_t k = 0; k < kWord; k += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + k));
    const __m256i is_zero = _mm256_cmpeq_epi8(bytes, _mm256_setzero_si256());
    zeros |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(is_zero))} << k;
  }
  return ~zeros;
#else
  uint64_t zeros = 0;
  for (size_t k = 0; k < kWord; k += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k));
    const __m128i is_zero = _mm_cmpeq_epi8(bytes, _mm_setzero_si128());
    zeros |= uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(is_zero))} << k;
  }
  return ~zeros;
#endif
}

// a[i] bit j <-> a[j] bit i, by swapping ever smaller blocks off the diagonal (Warren, "Hacker's
// Delight", 2nd edition, section 7-3).
#if defined(__AVX512F__)
// Eight words to a vector: the larger blocks are whole vectors, the smaller ones lie within one.
template <int kSize>
[[gnu::always_inline]] inline __m512i SwapWithin(__m512i x, __m512i partner, uint64_t mask) {
  // A lane takes its partner's half: shifted up where it is the first of the two, else down. Shifts
  // by 64 give 0.
  constexpr __mmask8 kFirst = kSize == 4 ? 0x0f : kSize == 2 ? 0x33 : 0x55;
  const __m512i none = _mm512_set1_epi64(64);
  const __m512i by = _mm512_set1_epi64(kSize);
  const __m512i up = _mm512_sllv_epi64(partner, _mm512_mask_mov_epi64(none, kFirst, by));
  const __m512i down = _mm512_srlv_epi64(partner, _mm512_mask_mov_epi64(by, kFirst, none));
  const __m512i low = _mm512_set1_epi64(static_cast<long long>(mask));
  const __m512i keep =
      _mm512_mask_xor_epi64(low, static_cast<__mmask8>(~kFirst), low, _mm512_set1_epi64(-1));
  return _mm512_ternarylogic_epi64(keep, x, _mm512_or_si512(up, down), 0xca);  // keep ? x : ...
}

[[gnu::always_inline]] inline void TransposeBits(uint64_t (&a)[kWord]) {
  __m512i x[8];
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) x[i] = _mm512_loadu_si512(a + 8 * i);
  uint64_t mask = 0x00000000ffffffff;
#pragma GCC unroll 3
  for (unsigned size = kWord / 2; size >= 8; size /= 2, mask ^= mask << size) {
    const __m512i low = _mm512_set1_epi64(static_cast<long long>(mask));
    const unsigned vectors = size / 8;
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; ++i) {
      if (i & vectors) continue;
      const __m512i swap =
          _mm512_and_si512(_mm512_xor_si512(_mm512_srli_epi64(x[i], size), x[i + vectors]), low);
      x[i] = _mm512_xor_si512(x[i], _mm512_slli_epi64(swap, size));
      x[i + vectors] = _mm512_xor_si512(x[i + vectors], swap);
    }
  }
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) {
    x[i] = SwapWithin<4>(x[i], _mm512_shuffle_i64x2(x[i], x[i], 0x4e), 0x0f0f0f0f0f0f0f0f);
    x[i] = SwapWithin<2>(x[i], _mm512_permutex_epi64(x[i], 0x4e), 0x3333333333333333);
    x[i] = SwapWithin<1>(x[i], _mm512_permutex_epi64(x[i], 0xb1), 0x5555555555555555);
    _mm512_storeu_si512(a + 8 * i, x[i]);
  }
}
#else
[[gnu::always_inline]] inline void TransposeBits(uint64_t (&a)[kWord]) {
  uint64_t mask = 0x00000000ffffffff;
#pragma GCC unroll 6
  for (size_t size = kWord / 2; size > 0; size /= 2, mask ^= mask << size) {
    for (size_t block = 0; block < kWord; block += 2 * size) {
      for (size_t i = block; i < block + size; ++i) {
        const uint64_t swap = ((a[i] >> size) ^ a[i + size]) & mask;
        a[i] ^= swap << size;
        a[i + size] ^= swap;
      }
    }
  }
}
#endif

void Gather(const SparseGather& job) {
  uint8_t* to = job.to;
  for (const uint32_t row : job.rows) {
    CopyRuns(job.pixels + row * job.features, job.features, job.runs, to);
    to += kSparseColumns;
  }
}

void Search(const SparseSearch& job) {
  for (SparseRow& row : job.rows) {
    if (job.columns == kWord) {
      row.bits = NonZeros(row.pixels);
    } else {
      // What lies beyond them is somebody else's.
      uint8_t copy[kWord] = {};
      std::memcpy(copy, row.pixels, job.columns);
      row.bits = NonZeros(copy);
    }
  }
}

#if defined(__SSSE3__)
// Where the bytes of 8 places come from: byte j is the index of bit j among those that are set, or
// 0x80, for none.
constexpr auto kSources = [] {
  std::array<uint64_t, 256> sources = {};
  for (size_t bits = 0; bits < sources.size(); ++bits) {
    uint64_t next = 0;
    for (size_t j = 0; j < 8; ++j) {
      sources[bits] |= (bits >> j & 1 ? next++ : uint64_t{0x80}) << 8 * j;
    }
  }
  return sources;
}();

// Bytes from `from` on, and where it ends, for the places of 8 bits.
[[gnu::always_inline]] inline __m128i Spread8(uint64_t bits, const uint8_t*& from) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  const __m128i sources = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&kSources[bits]));
  from += std::popcount(bits);
  return _mm_shuffle_epi8(bytes, sources);
}
#endif

// Bytes from `from` on to the places of bits, 0 to the others; parts of kPart bytes `stride` apart.
template <size_t kPart>
[[gnu::always_inline]] inline void Spread(uint64_t bits, const uint8_t* from, uint8_t* to,
                                          size_t stride) {
#if defined(__SSSE3__)
#pragma GCC unroll 4
  for (size_t k = 0; k < kWord; k += 16, bits >>= 16) {
    const __m128i low = Spread8(bits & 0xff, from);
    const __m128i high = Spread8(bits >> 8 & 0xff, from);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + k / kPart * stride + k % kPart),
                     _mm_unpacklo_epi64(low, high));
  }
#else
#pragma GCC unroll 8
  for (size_t p = 0; p < kWord / kPart; ++p) std::memset(to + p * stride, 0, kPart);
  for (; bits != 0; bits &= bits - 1) {
    const auto j = static_cast<size_t>(std::countr_zero(bits));
    to[j / kPart * stride + j % kPart] = *from++;
  }
#endif
}

template <size_t kPart>
void UnpackParts(const SparseUnpack& job) {
  // A copy: bytes that are stored might alias the original.
  const size_t stride = job.stride;
  UnpackRows(job, [=](uint64_t bits, const uint8_t* from, size_t i, const SparseStretch& stretch) {
    Spread<kPart>(bits, from, stretch.to + i * kPart, stride);
  });
}

void Unpack(const SparseUnpack& job) {
#if defined(__AVX512BW__)
  if (HasAvx512Vbmi2()) return UnpackByExpanding(job);
#endif
  job.stride == 0 ? UnpackParts<kWord>(job) : UnpackParts<kWidth>(job);
}

void Transpose(const SparseTranspose& job) {
  const size_t words = SparseWords(job.rows.size());
  for (size_t word = 0; word < words; ++word) {
    const std::span<const SparseRow> rows = job.rows.subspan(word * kWord);
    uint64_t bits[kWord];
    for (size_t i = 0; i < kWord; ++i) bits[i] = i < rows.size() ? rows[i].bits : 0;
    TransposeBits(bits);
    for (size_t k = 0; k < job.columns; ++k) job.column_bits[k * words + word] = bits[k];
  }
}

template <size_t kOperands>
void ProductRows(const SparseProduct& job) {
  // Copies: vectors that are stored might alias the originals.
  SparseProduct::Operand operands[kOperands];
  for (size_t o = 0; o < kOperands; ++o) operands[o] = job.operands[o];
  const float* const values = job.values;
  const std::span<const SparseRow> rows = job.rows;
  RowPrefetcher* const prefetch = job.prefetch;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % 4 == 0) prefetch->Next();
    V sums[kOperands][kVecsPerPanel];
#pragma GCC unroll 2
    for (size_t o = 0; o < kOperands; ++o) {
      const float* start =
          operands[o].start != nullptr ? operands[o].start : operands[o].y + i * kWidth;
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecsPerPanel; ++v) sums[o][v] = V::load_aligned(start + v * kLanes);
    }
    const uint8_t* const pixels = rows[i].pixels;
    for (uint64_t bits = rows[i].bits; bits != 0; bits &= bits - 1) {
      const auto column = static_cast<size_t>(std::countr_zero(bits));
      const V value(values[pixels[column]]);
#pragma GCC unroll 2
      for (size_t o = 0; o < kOperands; ++o) {
#pragma GCC unroll 2
        for (size_t v = 0; v < kVecsPerPanel; ++v) {
          const V weight = V::load_aligned(operands[o].b + column * kWidth + v * kLanes);
          sums[o][v] = MulAdd(value, weight, sums[o][v]);
        }
      }
    }
#pragma GCC unroll 2
    for (size_t o = 0; o < kOperands; ++o) {
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecsPerPanel; ++v) {
        sums[o][v].store_aligned(operands[o].y + i * kWidth + v * kLanes);
      }
    }
  }
}

void Product(const SparseProduct& job) {
  return job.operands.size() == 1 ? ProductRows<1>(job) : ProductRows<2>(job);
}

// A gradient and states of 0 leave a weight as it is, but for weight decay.
template <class Optimizer>
bool HasNothing(const SparseUpdate::Operand& operand, size_t offset) {
  for (size_t k = 0; k < Optimizer::kStates; ++k) {
    for (size_t v = 0; v < kVecsPerPanel; ++v) {
      const V state = V::load_aligned(operand.states[k] + offset + v * kLanes);
      if (xsimd::any(state != V(0.0f))) return false;
    }
  }
  return true;
}

// One step for a vector of weights, with their gradient.
template <class Optimizer, class Math>
[[gnu::always_inline]] inline void ApplyTo(const UpdateStep& step,
                                           const SparseUpdate::Operand& operand, size_t at,
                                           V gradient) {
  V weight = V::load_aligned(operand.weights + at);
  V states[kMaxStates];
#pragma GCC unroll 4
  for (size_t k = 0; k < Optimizer::kStates; ++k) {
    states[k] = V::load_aligned(operand.states[k] + at);
  }
  Optimizer::template Apply<Math>(step, gradient, weight, states);
  weight.store_aligned(operand.weights + at);
#pragma GCC unroll 4
  for (size_t k = 0; k < Optimizer::kStates; ++k) states[k].store_aligned(operand.states[k] + at);
}

// kColumns neighbours from column j: as ink seldom ends between two of them, the rows that one
// needs are mostly those of the other, and d is loaded once for both. What one of them has not adds
// 0 * d.
template <class Optimizer, class Math, size_t kOperands, size_t kColumns>
[[gnu::always_inline]] inline void UpdateNeighbours(
    const UpdateStep& step, const SparseUpdate& job,
    const SparseUpdate::Operand (&operands)[kOperands], size_t j) {
  const size_t words = SparseWords(job.batch);
  V sums[kColumns][kOperands][kVecsPerPanel];
#pragma GCC unroll 2
  for (size_t c = 0; c < kColumns; ++c) {
#pragma GCC unroll 2
    for (size_t o = 0; o < kOperands; ++o) {
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecsPerPanel; ++v) sums[c][o][v] = V(0.0f);
    }
  }
  uint64_t any[kColumns] = {};
  for (size_t w = 0; w < words; ++w) {
    const uint8_t* pixels = job.pixels + w * kWord * kSparseColumns + j;
    const size_t row = w * kWord * kWidth;
    uint64_t rows = 0;
#pragma GCC unroll 2
    for (size_t c = 0; c < kColumns; ++c) {
      const uint64_t bits = job.bits[(j + c) * words + w];
      any[c] |= bits;
      rows |= bits;
    }
    for (; rows != 0; rows &= rows - 1) {
      const auto i = static_cast<size_t>(std::countr_zero(rows));
      V value[kColumns];
#pragma GCC unroll 2
      for (size_t c = 0; c < kColumns; ++c)
        value[c] = V(job.values[pixels[i * kSparseColumns + c]]);
#pragma GCC unroll 2
      for (size_t o = 0; o < kOperands; ++o) {
#pragma GCC unroll 2
        for (size_t v = 0; v < kVecsPerPanel; ++v) {
          const V d = V::load_aligned(operands[o].d + row + i * kWidth + v * kLanes);
#pragma GCC unroll 2
          for (size_t c = 0; c < kColumns; ++c) {
            sums[c][o][v] = MulAdd(value[c], d, sums[c][o][v]);
          }
        }
      }
    }
  }
#pragma GCC unroll 2
  for (size_t c = 0; c < kColumns; ++c) {
    const size_t at = (j + c) * kWidth;
#pragma GCC unroll 2
    for (size_t o = 0; o < kOperands; ++o) {
      // Pixels that nobody ever wrote on, at the border of most pictures.
      if (any[c] == 0 && step.keep == 1.0f && HasNothing<Optimizer>(operands[o], at)) continue;
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecsPerPanel; ++v) {
        ApplyTo<Optimizer, Math>(step, operands[o], at + v * kLanes, sums[c][o][v]);
      }
    }
  }
}

template <class Optimizer, class Math, size_t kOperands>
void UpdateColumns(const UpdateStep& step_in, const SparseUpdate& job_in) {
  // Copies: vectors that are stored might alias the originals.
  const UpdateStep step = step_in;
  const SparseUpdate job = job_in;
  SparseUpdate::Operand operands[kOperands];
  for (size_t o = 0; o < kOperands; ++o) operands[o] = job.operands[o];
  size_t j = 0;
  for (; j + 2 <= job.columns; j += 2) {
    job.prefetch->Next();
    job.prefetch->Next();
    UpdateNeighbours<Optimizer, Math, kOperands, 2>(step, job, operands, j);
  }
  if (j < job.columns) {
    job.prefetch->Next();
    UpdateNeighbours<Optimizer, Math, kOperands, 1>(step, job, operands, j);
  }
}

template <class Optimizer, class Math>
void UpdateWith(const UpdateStep& step, const SparseUpdate& job) {
  return job.operands.size() == 1 ? UpdateColumns<Optimizer, Math, 1>(step, job)
                                  : UpdateColumns<Optimizer, Math, 2>(step, job);
}

void Update(OptimizerKind kind, MathMode math, const UpdateStep& step, const SparseUpdate& job) {
  ForOptimizer(kind, math,
               [&]<class Optimizer, class Math>() { UpdateWith<Optimizer, Math>(step, job); });
}

}  // namespace

template <>
const SparseKernels& SparseTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr SparseKernels kTable = {{Backend::kSimd, Isa::MLP_TARGET_ISA},
                                           kWidth,
                                           Gather,
                                           Search,
                                           Unpack,
                                           Transpose,
                                           Product,
                                           Update};
  return kTable;
}

}  // namespace mlp::kernels
