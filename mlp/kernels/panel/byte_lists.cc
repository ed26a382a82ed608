#include "mlp/kernels/panel/byte_lists.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>

#include "mlp/base/check.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {
namespace {

constexpr size_t kStep = 64;
// Rows lie anywhere in memory and are asked for this many rows early.
constexpr size_t kAhead = 8;

// Bit j is set if bytes[j] is not 0, for j < n <= kStep.
uint64_t NonZero(const uint8_t* bytes, size_t n) {
  if (n == kStep) {
    uint64_t zero = 0;
    // SSE2, which every x86-64 has.
    for (size_t part = 0; part < 4; ++part) {
      const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * part));
      const int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_setzero_si128()));
      zero |= static_cast<uint64_t>(mask) << (16 * part);
    }
    return ~zero;
  }
  uint64_t bits = 0;
  for (size_t j = 0; j < n; ++j) bits |= uint64_t{bytes[j] != 0} << j;
  return bits;
}

}  // namespace

void ByteLists::Plan(Arena& arena, size_t max_batch, size_t features,
                     std::span<const Range> ranges) {
  MLP_CHECK_LE(max_batch, kMaxIndex);
  MLP_CHECK_LE(features, kMaxIndex);
  max_batch_ = max_batch;
  features_ = features;
  // An odd number of lines: the ends of neighbouring lists do not share an L1 set.
  column_stride_ = PaddedStride(max_batch);
  ranges_.assign(ranges.begin(), ranges.end());
  rows_.resize(ranges.size() * max_batch);
  columns_.resize(features);
  row_entries_ = arena.Take<uint32_t>(max_batch * features);
  column_entries_ = arena.Take<uint32_t>(features * column_stride_);
  for (size_t k = 0; k < features; ++k) {
    columns_[k].entries = column_entries_.data() + k * column_stride_;
  }
}

void ByteLists::Build(const uint8_t* pixels, std::span<const uint32_t> rows) {
  MLP_CHECK_LE(rows.size(), max_batch_);
  batch_ = rows.size();
  for (ByteList& column : columns_) column.count = 0;
  uint32_t* next = row_entries_.data();
  // Range by range, so that the ends of a range's column lists stay in L1.
  for (size_t r = 0; r < ranges_.size(); ++r) {
    const Range range = ranges_[r];
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint8_t* row = pixels + rows[i] * features_;
      if (i + kAhead < rows.size()) {
        const uint8_t* ahead = pixels + rows[i + kAhead] * features_;
        for (size_t k = range.begin; k < range.end; k += kStep) __builtin_prefetch(ahead + k);
      }
      ByteList& list = rows_[r * max_batch_ + i];
      list.entries = next;
      for (size_t k = range.begin; k < range.end; k += kStep) {
        for (uint64_t left = NonZero(row + k, std::min(kStep, range.end - k)); left != 0;
             left &= left - 1) {
          const size_t column = k + static_cast<size_t>(std::countr_zero(left));
          const uint32_t byte = row[column];
          *next++ = static_cast<uint32_t>(column) << 8 | byte;
          ByteList& of_column = columns_[column];
          column_entries_[column * column_stride_ + of_column.count++] =
              static_cast<uint32_t>(i) << 8 | byte;
        }
      }
      list.count = static_cast<size_t>(next - list.entries);
    }
  }
}

}  // namespace mlp::kernels
