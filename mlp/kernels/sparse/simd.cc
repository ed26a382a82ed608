// Lists by compression, sums of a row or a column in registers.
#include "mlp/base/simd.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "mlp/kernels/math_simd.h"
#include "mlp/kernels/sparse/kernels.h"
#include "mlp/kernels/update/for_optimizer.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;
constexpr size_t kVecsPerPanel = 2;
constexpr size_t kWidth = kVecsPerPanel * kLanes;
constexpr size_t kWord = 64;

// Appends the bytes of from[0 .. 7] that are not 0, from `column` on, to a list that ends at `to`,
// and returns their bits.
#if defined(__AVX512F__)
constexpr size_t kStep = 16;
[[gnu::always_inline]] inline uint64_t Compress(const uint8_t* from, size_t column, uint32_t*& to) {
  const __m512i bytes =
      _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  const __mmask16 mask = _mm512_test_epi32_mask(bytes, bytes);
  const __m512i place = _mm512_add_epi32(
      _mm512_set1_epi32(static_cast<int>(column * 256)),
      _mm512_slli_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                        8));
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(mask, _mm512_or_epi32(bytes, place)));
  to += std::popcount(static_cast<unsigned>(mask));
  return mask;
}
#elif defined(__AVX2__)
constexpr size_t kStep = 8;
// For each set of 8 lanes their numbers, first those in the set.
struct LaneTable {
  uint64_t lanes[256];
};
constexpr LaneTable kLaneTable = [] {
  LaneTable table = {};
  for (size_t set = 0; set < 256; ++set) {
    size_t n = 0;
    for (uint64_t lane = 0; lane < 8; ++lane) {
      if (set >> lane & 1) table.lanes[set] |= lane << (8 * n++);
    }
  }
  return table;
}();
[[gnu::always_inline]] inline uint64_t Compress(const uint8_t* from, size_t column, uint32_t*& to) {
  const __m256i bytes =
      _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  const __m256i zero = _mm256_cmpeq_epi32(bytes, _mm256_setzero_si256());
  const unsigned mask =
      static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(zero))) ^ 0xffu;
  const __m256i place =
      _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(column * 256)),
                       _mm256_slli_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), 8));
  const __m256i lanes = _mm256_cvtepu8_epi32(
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&kLaneTable.lanes[mask])));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm256_permutevar8x32_epi32(_mm256_or_si256(bytes, place), lanes));
  to += std::popcount(mask);
  return mask;
}
#else
constexpr size_t kStep = 8;
[[gnu::always_inline]] inline uint64_t Compress(const uint8_t* from, size_t column, uint32_t*& to) {
  uint64_t bits = 0;
  for (size_t k = 0; k < kStep; ++k) {
    *to = static_cast<uint32_t>((column + k) << 8 | from[k]);
    const bool is_there = from[k] != 0;
    to += is_there;
    bits |= uint64_t{is_there} << k;
  }
  return bits;
}
#endif
static_assert(kWidth % kStep == 0 && kWord % kWidth == 0 && kStep <= kListSlack);

// a[i] bit j <-> a[j] bit i, by swapping ever smaller blocks off the diagonal (Warren, "Hacker's
// Delight", 2nd edition, section 7-3).
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

void List(const SparseList& job) {
  const size_t words = SparseWords(job.batch);
  uint64_t bits[kMaxListColumns / kWord][kWord];
  uint32_t* to = job.entries;
  const size_t chunks = (job.columns.size() + kWord - 1) / kWord;
  for (size_t word = 0; word < words; ++word) {
    const size_t begin = word * kWord;
    const size_t rows = std::min(kWord, job.batch - begin);
    for (size_t i = 0; i < rows; ++i) {
      const uint32_t* entries = to;
      for (size_t c = 0; c < chunks; ++c) {
        const size_t from = job.columns.begin + c * kWord;
        const size_t end = std::min(kWord, job.columns.end - from);
        uint64_t row = 0;
        // A panel's columns beyond the matrix are 0.
        for (size_t k = 0; k < end; k += kStep) {
          const uint8_t* piece = job.pixels + (from + k) / kWidth * job.stride +
                                 (begin + i) * kWidth + (from + k) % kWidth;
          row |= Compress(piece, from + k, to) << k;
        }
        bits[c][i] = row;
      }
      job.lists[begin + i] = {entries, static_cast<size_t>(to - entries)};
    }
    for (size_t c = 0; c < chunks; ++c) {
      std::fill(bits[c] + rows, bits[c] + kWord, 0);
      TransposeBits(bits[c]);
      const size_t from = job.columns.begin + c * kWord;
      const size_t end = std::min(kWord, job.columns.end - from);
      for (size_t k = 0; k < end; ++k) job.bits[(from + k) * words + word] = bits[c][k];
    }
  }
}

template <size_t kOperands>
void ProductRows(const SparseProduct& job) {
  const float* b[kOperands];
  for (size_t o = 0; o < kOperands; ++o) b[o] = job.operands[o].b - job.first * kWidth;
  for (size_t i = 0; i < job.lists.size(); ++i) {
    if (i % 2 == 0) job.prefetch->Next();
    V sums[kOperands][kVecsPerPanel];
#pragma GCC unroll 2
    for (size_t o = 0; o < kOperands; ++o) {
      const SparseProduct::Operand& operand = job.operands[o];
      const float* start = operand.start != nullptr ? operand.start : operand.y + i * kWidth;
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecsPerPanel; ++v) sums[o][v] = V::load_aligned(start + v * kLanes);
    }
    const ByteList& list = job.lists[i];
    for (size_t k = 0; k < list.count; ++k) {
      const uint32_t entry = list.entries[k];
      const size_t offset = entry / 256 * kWidth;
      const V value(job.values[entry % 256]);
#pragma GCC unroll 2
      for (size_t o = 0; o < kOperands; ++o) {
#pragma GCC unroll 2
        for (size_t v = 0; v < kVecsPerPanel; ++v) {
          sums[o][v] = MulAdd(value, V::load_aligned(b[o] + offset + v * kLanes), sums[o][v]);
        }
      }
    }
#pragma GCC unroll 2
    for (size_t o = 0; o < kOperands; ++o) {
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecsPerPanel; ++v) {
        sums[o][v].store_aligned(job.operands[o].y + i * kWidth + v * kLanes);
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

template <class Optimizer, class Math, size_t kOperands>
void UpdateColumns(const UpdateStep& step_in, const SparseUpdate& job_in) {
  const UpdateStep step = step_in;
  const SparseUpdate job = job_in;
  SparseUpdate::Operand operands[kOperands];
  for (size_t o = 0; o < kOperands; ++o) operands[o] = job.operands[o];
  const size_t words = SparseWords(job.batch);
  for (size_t j = 0; j < job.columns; ++j) {
    job.prefetch->Next();
    V sums[kOperands][kVecsPerPanel];
#pragma GCC unroll 2
    for (size_t o = 0; o < kOperands; ++o) {
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecsPerPanel; ++v) sums[o][v] = V(0.0f);
    }
    bool any = false;
    for (size_t w = 0; w < words; ++w) {
      const uint8_t* pixels = job.pixels + w * kWord * kWidth + j;
      const size_t row = w * kWord * kWidth;
      for (uint64_t bits = job.bits[j * words + w]; bits != 0; bits &= bits - 1) {
        const size_t offset = static_cast<size_t>(std::countr_zero(bits)) * kWidth;
        const V value(job.values[pixels[offset]]);
        any = true;
#pragma GCC unroll 2
        for (size_t o = 0; o < kOperands; ++o) {
#pragma GCC unroll 2
          for (size_t v = 0; v < kVecsPerPanel; ++v) {
            sums[o][v] = MulAdd(value, V::load_aligned(operands[o].d + row + offset + v * kLanes),
                                sums[o][v]);
          }
        }
      }
    }
#pragma GCC unroll 2
    for (size_t o = 0; o < kOperands; ++o) {
      const SparseUpdate::Operand& operand = operands[o];
      // Pixels that nobody ever wrote on, at the border of most pictures.
      if (!any && step.keep == 1.0f && HasNothing<Optimizer>(operand, j * kWidth)) continue;
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecsPerPanel; ++v) {
        const size_t at = j * kWidth + v * kLanes;
        V weight = V::load_aligned(operand.weights + at);
        V states[kMaxStates];
#pragma GCC unroll 4
        for (size_t k = 0; k < Optimizer::kStates; ++k) {
          states[k] = V::load_aligned(operand.states[k] + at);
        }
        Optimizer::template Apply<Math>(step, sums[o][v], weight, states);
        weight.store_aligned(operand.weights + at);
#pragma GCC unroll 4
        for (size_t k = 0; k < Optimizer::kStates; ++k) {
          states[k].store_aligned(operand.states[k] + at);
        }
      }
    }
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
  static constexpr SparseKernels kTable = {
      {Backend::kSimd, Isa::MLP_TARGET_ISA}, kWidth, List, Product, Update};
  return kTable;
}

}  // namespace mlp::kernels
