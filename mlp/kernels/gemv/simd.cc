// One row in registers: up to eight vectors of columns at once, in as many panels as they need.
#include "mlp/base/simd.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "mlp/kernels/gemv/kernels.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;
constexpr size_t kVecsPerPanel = 2;
constexpr size_t kWidth = kVecsPerPanel * kLanes;
// Eight sums hide the latency of a multiply-add (four cycles, two of them begun in each), and leave
// room for the factor and a product in sixteen registers.
constexpr size_t kMaxVecs = 8;
constexpr size_t kTurns = 4;

// The ways to give x: term k is value(k) * row(k) of b.
struct FloatRow {
  const float* x;
  size_t count;
  size_t row(size_t k) const { return k; }
  float value(size_t k) const { return x[k]; }
};
struct FloatListRow {
  const float* x;
  const uint32_t* indices;
  size_t count;
  size_t row(size_t k) const { return indices[k]; }
  float value(size_t k) const { return x[indices[k]]; }
};
// Looked up as they are needed: conversion beforehand would be time in which no weights arrive.
struct ByteRow {
  const uint8_t* x;
  size_t count;
  const float* values;
  size_t row(size_t k) const { return k; }
  float value(size_t k) const { return values[x[k]]; }
};
struct ByteListRow {
  const uint32_t* entries;
  size_t count;
  const float* values;
  size_t row(size_t k) const { return entries[k] / 256; }
  float value(size_t k) const { return values[entries[k] % 256]; }
};

// The ways to give b: vector v of a row of a panel.
struct FloatWeights {
  static constexpr size_t kRow = kWidth;
  [[gnu::always_inline]] static V At(const float* row, size_t v) {
    return V::load_aligned(row + v * kLanes);
  }
};
struct WordWeights {
  static constexpr size_t kRow = kLanes;
  [[gnu::always_inline]] static V At(const float* row, size_t v) {
    using Bits = xsimd::batch<uint32_t, V::arch_type>;
    const Bits words = xsimd::bitwise_cast<Bits>(V::load_aligned(row));
    return xsimd::bitwise_cast<V>(v == 0 ? words << 16 : words & Bits(0xffff0000u));
  }
};

// kVecs vectors of columns from the beginning of panel `first`.
template <class Row, class Weights, size_t kVecs>
[[gnu::noinline]] void Columns(const Gemv& job, const Row& row_in, size_t first) {
  const Row row = row_in;
  constexpr size_t kPanels = (kVecs + kVecsPerPanel - 1) / kVecsPerPanel;
  const float* b[kPanels];
#pragma GCC unroll 4
  for (size_t p = 0; p < kPanels; ++p) b[p] = job.b + (first + p) * job.b_stride;
  const size_t column = first * kWidth;
  V sums[kVecs];
#pragma GCC unroll 8
  for (size_t v = 0; v < kVecs; ++v) sums[v] = V::load_aligned(job.start + column + v * kLanes);
  const auto add = [&](V& sum, size_t k, size_t v) {
    const float* weights = b[v / kVecsPerPanel] + row.row(k) * Weights::kRow;
    sum = MulAdd(V(row.value(k)), Weights::At(weights, v % kVecsPerPanel), sum);
  };
  if constexpr (kVecs == 1) {
    V turns[kTurns] = {sums[0], V(0.0f), V(0.0f), V(0.0f)};
    size_t k = 0;
    for (; k + kTurns <= row.count; k += kTurns) {
#pragma GCC unroll 4
      for (size_t t = 0; t < kTurns; ++t) add(turns[t], k + t, 0);
    }
#pragma GCC unroll 4
    for (size_t t = 0; t < kTurns; ++t) {
      if (k + t < row.count) add(turns[t], k + t, 0);
    }
    sums[0] = (turns[0] + turns[1]) + (turns[2] + turns[3]);
  } else {
    for (size_t k = 0; k < row.count; ++k) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVecs; ++v) add(sums[v], k, v);
    }
  }
#pragma GCC unroll 8
  for (size_t v = 0; v < kVecs; ++v) sums[v].store_aligned(job.y + column + v * kLanes);
}

template <class Row>
using ColumnsFunction = void (*)(const Gemv&, const Row&, size_t);

// By number of vectors - 1.
template <class Row, class Weights, size_t... kVec>
constexpr std::array<ColumnsFunction<Row>, kMaxVecs> AllColumns(std::index_sequence<kVec...>) {
  return {Columns<Row, Weights, kVec + 1>...};
}

template <class Row>
void Run(const Gemv& job, const Row& row) {
  using Vecs = std::make_index_sequence<kMaxVecs>;
  static constexpr std::array<ColumnsFunction<Row>, kMaxVecs> kColumns[] = {
      AllColumns<Row, FloatWeights>(Vecs()), AllColumns<Row, WordWeights>(Vecs())};
  constexpr size_t kMaxPanels = kMaxVecs / kVecsPerPanel;
  const size_t vecs = (job.columns + kLanes - 1) / kLanes;
  const size_t panels = (vecs + kVecsPerPanel - 1) / kVecsPerPanel;
  // Groups as even as whole panels allow: few sums at a time wait for each other.
  size_t left = (panels + kMaxPanels - 1) / kMaxPanels;
  for (size_t begin = 0; begin < panels; --left) {
    const size_t end = begin + (panels - begin + left - 1) / left;
    kColumns[job.words ? 1 : 0][std::min(vecs, end * kVecsPerPanel) - begin * kVecsPerPanel - 1](
        job, row, begin);
    begin = end;
  }
}

void Floats(const Gemv& job, const float* x, size_t depth) { Run(job, FloatRow{x, depth}); }

void FloatList(const Gemv& job, const float* x, std::span<const uint32_t> indices) {
  Run(job, FloatListRow{x, indices.data(), indices.size()});
}

void Bytes(const Gemv& job, const uint8_t* x, size_t depth, const float* values) {
  Run(job, ByteRow{x, depth, values});
}

void ListedBytes(const Gemv& job, const ByteList& list, const float* values) {
  Run(job, ByteListRow{list.entries, list.count, values});
}

void Pack(size_t n, float* panel, float* words) {
  const auto round = [](float& x) {
    const uint32_t bits = std::bit_cast<uint32_t>(x);
    // Rounded up, a NaN could become an infinity or 0: it is made quiet by a bit that is kept.
    const uint32_t nearest = bits + 0x7fff + (bits >> 16 & 1);
    const uint32_t rounded = (std::isnan(x) ? bits | 0x400000 : nearest) & 0xffff0000;
    x = std::bit_cast<float>(rounded);
    return rounded;
  };
  for (size_t i = 0; i < n; i += kWidth) {
    for (size_t j = 0; j < kLanes; ++j) {
      const uint32_t lower = round(panel[i + j]);
      words[i / 2 + j] = std::bit_cast<float>(lower >> 16 | round(panel[i + kLanes + j]));
    }
  }
}

// Sums of bytes, as many as cannot overflow, for the compiler's vectors.
size_t CountBytes(size_t n, const uint8_t* x) {
  constexpr size_t kChunk = 192;
  size_t count = 0;
  size_t j = 0;
  for (; j + kChunk <= n; j += kChunk) {
    uint8_t part = 0;
    for (size_t i = 0; i < kChunk; ++i) part = static_cast<uint8_t>(part + (x[j + i] != 0));
    count += part;
  }
  for (; j < n; ++j) count += x[j] != 0;
  return count;
}

#ifdef __AVX512F__

// Lanes 0 .. n-1 of n < 16, or all.
__mmask16 First(size_t n) { return static_cast<__mmask16>(n < 16 ? (1u << n) - 1 : 0xffff); }

alignas(64) constexpr std::array<uint32_t, 16> kIota = {0, 1, 2,  3,  4,  5,  6,  7,
                                                        8, 9, 10, 11, 12, 13, 14, 15};

size_t ListBytes(size_t n, uint32_t first, const uint8_t* x, uint32_t* entries) {
  uint32_t* next = entries;
  __m512i index =
      _mm512_add_epi32(_mm512_load_si512(kIota.data()), _mm512_set1_epi32(static_cast<int>(first)));
  for (size_t j = 0; j < n; j += 16) {
    const __m128i bytes = _mm_maskz_loadu_epi8(First(n - j), x + j);
    const __m512i byte = _mm512_cvtepu8_epi32(bytes);
    const __mmask16 there = _mm512_test_epi32_mask(byte, byte);
    const __m512i entry = _mm512_or_si512(_mm512_slli_epi32(index, 8), byte);
    // To memory by way of a register: to memory directly it is microcoded on Zen 4.
    _mm512_storeu_si512(next, _mm512_maskz_compress_epi32(there, entry));
    next += std::popcount(static_cast<unsigned>(there));
    index = _mm512_add_epi32(index, _mm512_set1_epi32(16));
  }
  return static_cast<size_t>(next - entries);
}

size_t ListFloats(size_t n, const float* x, uint32_t* indices) {
  uint32_t* next = indices;
  __m512i index = _mm512_load_si512(kIota.data());
  for (size_t j = 0; j < n; j += 16) {
    const __m512 value = _mm512_maskz_loadu_ps(First(n - j), x + j);
    const __mmask16 there = _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    _mm512_storeu_si512(next, _mm512_maskz_compress_epi32(there, index));
    next += std::popcount(static_cast<unsigned>(there));
    index = _mm512_add_epi32(index, _mm512_set1_epi32(16));
  }
  return static_cast<size_t>(next - indices);
}

#else

// Four indices of the bits that are set in the index, then how many there are.
struct Packed {
  std::array<uint32_t, 4> lanes;
  uint32_t count;
};
constexpr std::array<Packed, 16> kPacked = [] {
  std::array<Packed, 16> table = {};
  for (uint32_t bits = 0; bits < 16; ++bits) {
    for (uint32_t lane = 0; lane < 4; ++lane) {
      if (bits >> lane & 1) table[bits].lanes[table[bits].count++] = lane;
    }
  }
  return table;
}();

size_t ListBytes(size_t n, uint32_t first, const uint8_t* x, uint32_t* entries) {
  uint32_t* next = entries;
  size_t j = 0;
  for (; j + 16 <= n; j += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + j));
    const int zero = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()));
    for (uint32_t left = ~static_cast<uint32_t>(zero) & 0xffff; left != 0; left &= left - 1) {
      const auto k = j + static_cast<size_t>(std::countr_zero(left));
      *next++ = (first + static_cast<uint32_t>(k)) * 256 + x[k];
    }
  }
  for (; j < n; ++j) {
    if (x[j] != 0) *next++ = (first + static_cast<uint32_t>(j)) * 256 + x[j];
  }
  return static_cast<size_t>(next - entries);
}

size_t ListFloats(size_t n, const float* x, uint32_t* indices) {
  uint32_t* next = indices;
  size_t j = 0;
  // What is not 0 is as often there as not: no branches.
  for (; j + 4 <= n; j += 4) {
    const int there = _mm_movemask_ps(_mm_cmpneq_ps(_mm_loadu_ps(x + j), _mm_setzero_ps()));
    const Packed& packed = kPacked[static_cast<size_t>(there)];
    for (size_t i = 0; i < 4; ++i) next[i] = static_cast<uint32_t>(j) + packed.lanes[i];
    next += packed.count;
  }
  for (; j < n; ++j) {
    if (x[j] != 0) *next++ = static_cast<uint32_t>(j);
  }
  return static_cast<size_t>(next - indices);
}

#endif

}  // namespace

template <>
const GemvKernels& GemvTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr GemvKernels kTable = {{Backend::kSimd, Isa::MLP_TARGET_ISA},
                                         kWidth,
                                         kLanes,
                                         Floats,
                                         FloatList,
                                         Bytes,
                                         ListedBytes,
                                         Pack,
                                         CountBytes,
                                         ListBytes,
                                         ListFloats};
  return kTable;
}

}  // namespace mlp::kernels
