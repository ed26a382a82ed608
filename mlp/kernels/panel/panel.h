// Matrix products over panels, for an engine that keeps layouts of its own.
//
// A panel is `width` columns of a matrix, row after row: [rows, width], contiguous and on cache
// lines; what lies beyond the matrix's last column is 0. The panels of one matrix have the same
// number of rows and lie `stride` elements apart. So all operands of a tile stream from two or
// three places with fixed distances, and a stretch of rows is one contiguous array.
//
// Unlike the calls of the other families these are not SPMD: the calling thread does all the work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/team.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/copy_runs.h"
#include "mlp/kernels/row_prefetcher.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {

// Some products are sums of several, whose operands lie so many elements from those of the job.
struct PanelTerm {
  size_t a = 0;  // of a product's a, or an update's x
  size_t b = 0;  // of a product's b, or an update's d
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

// One step of an optimizer for a block of weights, with the gradient x^T d: formed in registers,
// tile by tile, never stored beyond L1.
struct PanelUpdate {
  size_t batch;
  size_t rows;                            // of the block, columns of x; width at most
  size_t columns;                         // as above
  const float* x;                         // [batch, width]
  const float* d;                         // [batch, width]
  float* weights;                         // [rows, width]
  std::array<float*, kMaxStates> states;  // likewise; those that the optimizer has
  RowPrefetcher* prefetch;                // a line is asked for every eight samples of a tile
};

// So many rows are gathered at a time: those of one panel fill whole cache lines.
inline constexpr size_t kGatherRows = 8;
// What a gather of so many columns in several runs needs for each of those rows.
constexpr size_t GatherRowBytes(size_t columns) {
  return RoundUp(columns + kRunPiece, kCacheLineBytes);
}

// Rows of a matrix of bytes, and of those the columns of `runs`, to panels of bytes.
struct PanelGather {
  const uint8_t* pixels;  // [*, features]
  size_t features;
  std::span<const uint32_t> rows;
  std::span<const Range> runs;  // of columns, ascending
  size_t columns;               // in all runs
  uint8_t* scratch;             // [kGatherRows, GatherRowBytes(columns)]; for one run, null
  uint8_t* to;                  // panels of [rows, width], 0 beyond the last column
  size_t stride;                // from one panel to the next
};

struct PanelKernels {
  Target target;
  size_t width;
  void (*product)(const PanelProduct& job);
  void (*update)(OptimizerKind kind, MathMode math, const UpdateStep& step, const PanelUpdate& job);
  // to[i, j] = from[j, i], a block of [width, width] with rows `width` apart.
  void (*transpose)(const float* from, float* to);
  void (*gather)(const PanelGather& job);
  // y[i] = scale * x[i] for i < n, n a multiple of `width`.
  void (*convert)(size_t n, float scale, const uint8_t* x, float* y);
  void (*sum)(const PanelSum& job);
  // to[i] = from[i] for i < n, n a multiple of `width`, past the caches. What is written later may
  // be visible to other threads earlier: a store fence comes first.
  void (*publish)(size_t n, const float* from, float* to);
};

// Null where the target's backend has none: only simd does.
const PanelKernels* FindPanelKernels(const Target& target);

}  // namespace mlp::kernels
