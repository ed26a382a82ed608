// Products with a batch of bytes that are mostly 0, by those that are not. What is left out is
// 0 * w, and x + 0 = x: the bits are those of the dense products of panel.h, for finite operands.
//
// Forward, a row is a list of its bytes; backward, a column is a set of bits that says in which
// rows to look. Bytes and all other operands lie in panels, see panel.h. As there, the calling
// thread does all the work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/base/team.h"
#include "mlp/kernels/byte_list.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/row_prefetcher.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {

// Lists are made of so many columns at a time.
inline constexpr size_t kMaxListColumns = 256;
// Panels that a product or an update takes together: the sums of two wait for each other less than
// those of one.
inline constexpr size_t kMaxSparseOperands = 2;

// Bits of a column's rows come in words of 64.
constexpr size_t SparseWords(size_t batch) { return (batch + 63) / 64; }

// Lists and bits of some columns of a batch.
struct SparseList {
  size_t batch;
  const uint8_t* pixels;  // panels of [batch, width]
  size_t stride;          // from one panel to the next
  Range columns;          // whole panels, but for the last of the matrix; kMaxListColumns at most
  uint32_t* entries;      // [batch * columns + kListSlack]
  ByteList* lists;        // [batch]
  uint64_t* bits;         // [all columns, SparseWords(batch)]
};

// y[i, :] = start + sum over the entries of list i of values[byte] * b[column - first, :].
struct SparseProduct {
  struct Operand {
    const float* b;      // [*, width]
    const float* start;  // [width], the same for every row; null to go on from what y holds
    float* y;            // [batch, width]
  };
  std::span<const ByteList> lists;    // [batch]
  const float* values;                // [256]
  size_t first;                       // the column of b's first row
  std::span<const Operand> operands;  // 1 to kMaxSparseOperands
  RowPrefetcher* prefetch;            // a line is asked for every two rows
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
  const uint8_t* pixels;              // [batch, width], from the first of these columns
  const float* values;                // [256]
  std::span<const Operand> operands;  // 1 to kMaxSparseOperands
  RowPrefetcher* prefetch;            // a line is asked for every column
};

struct SparseKernels {
  Target target;
  size_t width;  // of a panel
  void (*list)(const SparseList& job);
  void (*product)(const SparseProduct& job);
  void (*update)(OptimizerKind kind, MathMode math, const UpdateStep& step,
                 const SparseUpdate& job);
};

// Null where the target's backend has none: only simd does.
const SparseKernels* FindSparseKernels(const Target& target);

}  // namespace mlp::kernels
