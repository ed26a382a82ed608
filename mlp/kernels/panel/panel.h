// Matrix products over panels, for an engine that keeps layouts of its own.
//
// A panel is `width` columns of a matrix, row after row: [rows, width], contiguous and on cache
// lines; what lies beyond the matrix's last column is 0. The panels of one matrix have the same
// number of rows and lie `stride` elements apart. So all operands of a tile stream from two or
// three places with fixed distances, and a stretch of rows is one contiguous array.
//
// Unlike the calls of the other families these are not SPMD: the calling thread does all the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/kernels/context.h"

namespace mlp::kernels {

// Asks for rows of bytes that are needed soon, a cache line at a time, so that the requests can be
// spread through other work instead of filling the queue of outstanding ones.
class RowPrefetcher {
 public:
  RowPrefetcher() = default;
  // rows: indices of rows of `width` bytes from `base`.
  RowPrefetcher(const uint8_t* base, size_t width, std::span<const uint32_t> rows)
      : base_(base), width_(width), rows_(rows) {}

  // The next line, if there is one.
  void Next() {
    constexpr size_t kLine = 64;
    if (offset_ >= width_) {
      if (rows_.empty()) return;
      row_ = base_ + rows_.front() * width_;
      rows_ = rows_.subspan(1);
      offset_ = 0;
    }
    // Into L2: it stays there for a while, and L1 is in use.
    __builtin_prefetch(row_ + offset_, 0, 2);
    offset_ += kLine;
  }

 private:
  const uint8_t* base_ = nullptr;
  size_t width_ = 0;
  std::span<const uint32_t> rows_;
  const uint8_t* row_ = nullptr;
  size_t offset_ = static_cast<size_t>(-1);  // of the next line in row_
};

// y = start + a b, one panel of y; then y = add[0] + y, y = add[1] + y and so on.
struct PanelProduct {
  size_t rows;         // of a and y
  size_t depth;        // columns of a, rows of b
  size_t columns;      // of b and y that matter; the others become 0
  const float* a;      // panels of [rows, width]
  size_t a_stride;     // from one panel of a to the next
  const float* b;      // [depth, width]
  const float* start;  // [width], the same for every row; null to go on from what y holds
  float* y;            // [rows, width]
  std::span<const float* const> add = {};  // [rows, width] each; y may be one of them
};

// y = the sum of parts, by a fixed tree: each part is pushed on a stack, then the two upmost are
// added to one as often as the part says.
struct PanelSum {
  // Deep enough for 2^31 parts.
  static constexpr size_t kMaxDepth = 32;
  struct Part {
    const float* x;
    size_t merges;
  };
  size_t n;  // a multiple of the panel's width
  std::span<const Part> parts;
  float* y;
};

// gradient = x^T d: some rows of one panel of a weight gradient, at most PanelKernels::tile_rows.
struct PanelGradient {
  size_t batch;
  size_t rows;              // of the gradient, columns of x
  size_t columns;           // as above
  const float* x;           // [batch, width], from the first column that is taken
  const float* d;           // [batch, width]
  float* gradient;          // [rows, width]
  RowPrefetcher* prefetch;  // a line is asked for every eight samples
};

// Bytes of a row or a column that are not 0, in order of their index.
struct ByteList {
  const uint32_t* entries = nullptr;  // index * 256 + byte
  size_t count = 0;
};

// One panel of a product with lists.
struct ListOperand {
  const float* b;      // [*, width]
  const float* start;  // [width], the same for every row; null to go on from what y holds
  float* y;            // [lists, width]
};

// The product of bytes, given by those that are not 0, with panels: y[i, :] = start + sum over the
// entries of list i of values[byte] * b[index - first, :]. What is left out is 0 * b, and x + 0 =
// x: the bits are those of the dense product over ascending indices (for finite b).
struct PanelListProduct {
  std::span<const ByteList> lists;        // one for each row of y
  const float* values;                    // [256]
  size_t first;                           // the index of b's first row
  std::span<const ListOperand> operands;  // kMaxListOperands at most
  RowPrefetcher* prefetch;                // a line is asked for every two rows
};
// So that the sums of one row wait for each other as little as those of a tile.
inline constexpr size_t kMaxListOperands = 2;

struct PanelKernels {
  Target target;
  size_t width;
  size_t tile_rows;
  void (*product)(const PanelProduct& job);
  void (*gradient)(const PanelGradient& job);
  void (*list_product)(const PanelListProduct& job);
  // to[i, j] = from[j, i], a block of [width, width] with rows `width` apart.
  void (*transpose)(const float* from, float* to);
  // Columns of the rows of a matrix of bytes to panels of bytes: to[p][i, j] =
  // pixels[rows[i], column + p * width + j], 0 beyond the last of `columns` columns.
  void (*gather)(const uint8_t* pixels, size_t features, std::span<const uint32_t> rows,
                 size_t column, size_t columns, uint8_t* to, size_t stride);
  // y[i] = scale * x[i] for i < n, n a multiple of `width`.
  void (*convert)(size_t n, float scale, const uint8_t* x, float* y);
  void (*sum)(const PanelSum& job);
};

// Null where the target's backend has none: only simd does.
const PanelKernels* FindPanelKernels(const Target& target);

}  // namespace mlp::kernels
