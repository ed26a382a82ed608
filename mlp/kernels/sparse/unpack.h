// The way through packed rows. Included by sources that are compiled for one instruction set.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "mlp/base/aligned_buffer.h"
#include "mlp/kernels/sparse/sparse.h"

namespace mlp::kernels {
namespace {

// scatter(bits, from, i, stretch) for each stretch of each row i: bytes from `from` on belong to
// the places of bits, 0 to the others of kSparseColumns.
template <class Scatter>
[[gnu::always_inline]] inline void UnpackRows(const SparseUnpack& job, Scatter scatter) {
  if (job.stretches.empty()) return;
  const PackedRows packed = job.from;
  const size_t first = job.stretches.front().columns.begin;
  const auto record_of = [&](size_t i) {
    return packed.records + size_t{packed.offsets[job.rows[i]]} * sizeof(uint64_t);
  };
  // A record's few lines come from L2 or, where nobody asked for them before, from farther: those
  // of several rows at once.
  constexpr size_t kAhead = 4;
  for (size_t i = 0; i < job.rows.size(); ++i) {
    if (i + kAhead < job.rows.size()) {
      const uint8_t* const ahead = record_of(i + kAhead);
      for (size_t l = 0; l < packed.lines; ++l) __builtin_prefetch(ahead + l * kCacheLineBytes);
    }
    const uint8_t* const record = record_of(i);
    // `n` bits from bit `begin` on.
    const auto bits_of = [&](size_t begin, size_t n) {
      uint64_t low = 0;
      uint64_t high = 0;
      const size_t word = begin / kSparseColumns;
      const size_t shift = begin % kSparseColumns;
      std::memcpy(&low, record + word * sizeof(low), sizeof(low));
      if (shift + n > kSparseColumns) {
        std::memcpy(&high, record + (word + 1) * sizeof(high), sizeof(high));
        high <<= kSparseColumns - shift;
      }
      const uint64_t bits = low >> shift | high;
      return n == kSparseColumns ? bits : bits & ((uint64_t{1} << n) - 1);
    };
    const uint8_t* from = record + packed.words * sizeof(uint64_t);
    for (size_t k = 0; k < first; k += kSparseColumns) {
      from += std::popcount(bits_of(k, std::min(kSparseColumns, first - k)));
    }
    for (const SparseStretch& stretch : job.stretches) {
      const size_t n = stretch.columns.size();
      const uint64_t bits = n == 0 ? 0 : bits_of(stretch.columns.begin, n);
      if (stretch.found != nullptr) stretch.found[i].bits = bits;
      scatter(bits, from, i, stretch);
      from += std::popcount(bits);
    }
  }
}

}  // namespace
}  // namespace mlp::kernels
