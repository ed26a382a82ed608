// Products with a batch of bytes that are mostly 0, by those that are not. What is left out is
// 0 * w, and x + 0 = x: the bits are those of the dense products of panel.h, for finite operands
// and sums that do not start from -0 (-0 + 0 = 0).
//
// Forward, a row has a set of the columns where something is; backward, a column has a set of rows.
// All operands but the bytes lie in panels, see panel.h. As there, the calling thread does all the
// work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/base/team.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/copy_runs.h"
#include "mlp/kernels/row_prefetcher.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {

// A row's columns are taken so many at a time: their weights stay in L1 while all rows use them.
inline constexpr size_t kSparseColumns = 64;
// Panels that a product or an update takes together: the sums of two wait for each other less than
// those of one.
inline constexpr size_t kMaxSparseOperands = 2;

// Bits of a column's rows come in words of 64.
constexpr size_t SparseWords(size_t batch) { return (batch + 63) / 64; }

// Some columns of a batch, side by side.
struct SparseGather {
  const uint8_t* pixels;  // [*, features]
  size_t features;
  std::span<const uint32_t> rows;  // [batch], of pixels
  std::span<const Range> runs;     // of columns, ascending, kSparseColumns at most in all
  uint8_t* to;                     // [batch, kSparseColumns], and kRunPiece more
};

// Some columns of a row.
struct SparseRow {
  const uint8_t* pixels;  // from the first of them
  uint64_t bits;          // bit j: column j is not 0
};

// Finds what is not 0 in some columns of a batch.
struct SparseSearch {
  size_t columns;             // kSparseColumns at most
  std::span<SparseRow> rows;  // [batch]; bits are to be found
};

// Rows of which only bytes that are not 0 are there: see data/packed_pixels.h.
struct PackedRows {
  const uint8_t* records;
  const uint32_t* offsets;  // of rows from records, in words of 64 bits
  size_t words;             // of bits in a record
  size_t lines;             // of the cache, that hold most records whole
};

// Some columns of a batch to be unpacked.
struct SparseStretch {
  Range columns;     // kSparseColumns at most
  uint8_t* to;       // [batch, kSparseColumns], 0 beyond the last column; or in panels, see below
  SparseRow* found;  // [batch], bits are to be found; null if nobody asks for them
};

// Unpacks stretches of a batch, which follow each other.
struct SparseUnpack {
  PackedRows from;
  std::span<const uint32_t> rows;  // [batch], of `from`
  std::span<const SparseStretch> stretches;
  // If not 0, `to` is kSparseColumns / width panels of [batch, width], so many bytes apart.
  size_t stride = 0;
};

// Turns bits of rows into bits of columns.
struct SparseTranspose {
  size_t columns;                   // kSparseColumns at most
  std::span<const SparseRow> rows;  // [batch]
  uint64_t* column_bits;            // [columns, SparseWords(batch)]
};

// y[i, :] = start + sum over the bits j of row i of values[pixel] * b[j, :].
struct SparseProduct {
  struct Operand {
    const float* b;      // [columns, width]
    const float* start;  // [width], the same for every row; null to go on from what y holds
    float* y;            // [batch, width]
  };
  std::span<const SparseRow> rows;    // [batch]
  const float* values;                // [256]
  std::span<const Operand> operands;  // 1 to kMaxSparseOperands
  RowPrefetcher* prefetch;            // a line is asked for every four rows
};

// One step of an optimizer for the weights of some columns, with the gradient x^T d: formed in
// registers, never stored.
struct SparseUpdate {
  struct Operand {
    const float* d;  // [batch, width]
    float* weights;  // [columns, width]
    std::array<float*, kMaxStates> states;
  };
  size_t batch;
  size_t columns;                     // width at most
  const uint64_t* bits;               // [columns, SparseWords(batch)]
  const uint8_t* pixels;              // [batch, kSparseColumns], from the first of these columns
  const float* values;                // [256]
  std::span<const Operand> operands;  // 1 to kMaxSparseOperands
  RowPrefetcher* prefetch;            // a line is asked for every column
};

struct SparseKernels {
  Target target;
  size_t width;  // of a panel
  void (*gather)(const SparseGather& job);
  void (*search)(const SparseSearch& job);
  // Up to 64 bytes beyond a row's record are read.
  void (*unpack)(const SparseUnpack& job);
  void (*transpose)(const SparseTranspose& job);
  void (*product)(const SparseProduct& job);
  void (*update)(OptimizerKind kind, MathMode math, const UpdateStep& step,
                 const SparseUpdate& job);
};

// Null where the target's backend has none: only simd does.
const SparseKernels* FindSparseKernels(const Target& target);

}  // namespace mlp::kernels
