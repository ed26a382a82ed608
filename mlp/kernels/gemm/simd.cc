// Matrix products: register tiles of rows x vectors, over packed panels of b.
//
// A panel is as many columns of b as a tile has lanes, and kDepth of its rows: it stays in L1 while
// the tiles of all rows of c run over it. Sums go on in c from one depth block to the next, in the
// same order as if there were only one, so blocking changes no bits.
#include "mlp/base/simd.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mlp/kernels/gemm/kernels.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;

// Accumulators, one vector of b per column and one broadcast element of a fill the register file:
// 12 x 2 + 2 + 1 of 32 with AVX-512; 6 x 2 + 2 + 1 of 16 with AVX2; without fused multiply-add one
// more is needed for the product, 4 x 2 + 2 + 1 + 1.
constexpr size_t kTileVecs = 2;
constexpr size_t kTileRows = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 4;
constexpr size_t kPanel = kTileVecs * kLanes;
// A panel of 272 rows is 17 KiB with AVX2 and leaves room in 32 KiB of L1 for the rows of a; with
// AVX-512 it is 34 KiB (those CPUs have 48 KiB of L1 or a fast L2). 784 rows make three equal
// blocks.
constexpr size_t kDepth = 272;

// One step through the panel's depth for every tile: where operands and results lie.
struct TileJob {
  size_t depth;
  const float* a;
  size_t a_stride;
  const float* b;
  size_t b_stride;
  const float*
      start;  // what the sums start from: [rows, vecs] at start_stride, 0 for one row for all
  size_t start_stride;
  float* c;
  size_t c_stride;
};

// c = start + a b for kRows x (kVecs * kLanes) elements. a is [kRows, depth], or its transpose.
template <bool kTransposedA, size_t kRows, size_t kVecs>
[[gnu::noinline]] void Tile(const TileJob& job) {
  const float* a = job.a;
  const float* b = job.b;
  const size_t a_stride = job.a_stride;
  const size_t b_stride = job.b_stride;
  V sum[kRows][kVecs];
#pragma GCC unroll 16
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVecs; ++v) {
      sum[i][v] = V::load_unaligned(job.start + i * job.start_stride + v * kLanes);
    }
  }
  for (size_t p = 0; p < job.depth; ++p) {
    V b_row[kVecs];
#pragma GCC unroll 4
    for (size_t v = 0; v < kVecs; ++v) b_row[v] = V::load_unaligned(b + v * kLanes);
#pragma GCC unroll 16
    for (size_t i = 0; i < kRows; ++i) {
      const V x(kTransposedA ? a[i] : a[i * a_stride]);
#pragma GCC unroll 4
      for (size_t v = 0; v < kVecs; ++v) sum[i][v] = MulAdd(x, b_row[v], sum[i][v]);
    }
    a += kTransposedA ? a_stride : 1;
    b += b_stride;
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVecs; ++v) {
      sum[i][v].store_unaligned(job.c + i * job.c_stride + v * kLanes);
    }
  }
}

using TileFunction = void (*)(const TileJob&);

template <bool kTransposedA, size_t kVecs, size_t... kRows>
constexpr std::array<TileFunction, sizeof...(kRows)> TilesOfRows(std::index_sequence<kRows...>) {
  return {Tile<kTransposedA, kRows + 1, kVecs>...};
}

// By number of rows - 1.
template <bool kTransposedA, size_t kVecs>
constexpr auto kTiles = TilesOfRows<kTransposedA, kVecs>(std::make_index_sequence<kTileRows>());

const TileFunction* TilesFor(bool transposed_a, size_t vecs) {
  if (transposed_a) return vecs == 1 ? kTiles<true, 1>.data() : kTiles<true, 2>.data();
  return vecs == 1 ? kTiles<false, 1>.data() : kTiles<false, 2>.data();
}

// panel[p, j] = b[p, j] for `width` columns, then zeros up to whole vectors.
void PackRows(const float* b, size_t stride, size_t depth, size_t width, float* panel) {
  for (size_t p = 0; p < depth; ++p, b += stride, panel += kPanel) {
    if (width == kPanel) {
#pragma GCC unroll 4
      for (size_t v = 0; v < kTileVecs; ++v) {
        V::load_unaligned(b + v * kLanes).store_aligned(panel + v * kLanes);
      }
    } else {
      std::copy_n(b, width, panel);
      std::fill(panel + width, panel + kPanel, 0.0f);
    }
  }
}

// panel[p, j] = b[j, p], likewise.
void PackTransposed(const float* b, size_t stride, size_t depth, size_t width, float* panel) {
  size_t p = 0;
  for (; p + 4 <= depth; p += 4) {
    size_t j = 0;
    for (; j + 4 <= width; j += 4)
      Transpose4x4(b + j * stride + p, stride, panel + p * kPanel + j, kPanel);
    for (; j < width; ++j) {
      for (size_t k = p; k < p + 4; ++k) panel[k * kPanel + j] = b[j * stride + k];
    }
  }
  for (; p < depth; ++p) {
    for (size_t j = 0; j < width; ++j) panel[p * kPanel + j] = b[j * stride + p];
  }
  for (p = 0; width < kPanel && p < depth; ++p) {
    std::fill(panel + p * kPanel + width, panel + (p + 1) * kPanel, 0.0f);
  }
}

// A panel of `width` columns of c from column `col`.
class Panel {
 public:
  Panel(const GemmBlock& block, size_t col)
      : block_(block),
        col_(col),
        width_(std::min(kPanel, block.c.cols() - col)),
        depth_(block.form == GemmForm::kTN ? block.a.rows() : block.a.cols()),
        tiles_(TilesFor(block.form == GemmForm::kTN, (width_ + kLanes - 1) / kLanes)) {}

  void Run() {
    if (block_.bias != nullptr) std::copy_n(block_.bias + col_, width_, bias_);
    // At least once, for the sake of start values.
    const size_t blocks = std::max<size_t>(1, (depth_ + kDepth - 1) / kDepth);
    for (size_t i = 0; i < blocks; ++i) RunDepth(Share(depth_, 1, i, blocks));
  }

 private:
  void RunDepth(Range depth) {
    Pack(depth);
    const bool goes_on = depth.begin > 0 || block_.output == Output::kAdd;
    // Rows are spread evenly over the tiles: the first `larger` ones have one row more.
    const size_t rows = block_.c.rows();
    const size_t tiles = (rows + kTileRows - 1) / kTileRows;
    const size_t smallest = rows / tiles;
    const size_t larger = rows % tiles;
    for (size_t i = 0, row = 0; i < tiles; ++i) {
      const size_t next = row + smallest + (i < larger ? 1 : 0);
      RunTile(depth, {row, next}, goes_on);
      row = next;
    }
  }

  void RunTile(Range depth, Range rows, bool goes_on) {
    const bool transposed_a = block_.form == GemmForm::kTN;
    float* c = block_.c.row(rows.begin) + col_;
    TileJob job = {depth.size(),
                   transposed_a ? block_.a.row(depth.begin) + rows.begin
                                : block_.a.row(rows.begin) + depth.begin,
                   block_.a.stride(),
                   b_,
                   b_stride_,
                   goes_on ? c : bias_,
                   goes_on ? block_.c.stride() : 0,
                   c,
                   block_.c.stride()};
    const TileFunction tile = tiles_[rows.size() - 1];
    if (width_ % kLanes == 0) return tile(job);
    // The last vector reaches beyond c: work on a copy.
    alignas(64) float copy[kTileRows * kPanel];
    if (goes_on) {
      for (size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(c + i * job.c_stride, width_, copy + i * kPanel);
        std::fill(copy + i * kPanel + width_, copy + (i + 1) * kPanel, 0.0f);
      }
      job.start = copy;
      job.start_stride = kPanel;
    }
    job.c = copy;
    job.c_stride = kPanel;
    tile(job);
    for (size_t i = 0; i < rows.size(); ++i) {
      std::copy_n(copy + i * kPanel, width_, c + i * block_.c.stride());
    }
  }

  void Pack(Range depth) {
    const ConstMatrix& b = block_.b;
    b_ = packed_;
    b_stride_ = kPanel;
    switch (block_.form) {
      case GemmForm::kNN:
        // One tile reads b once.
        if (block_.c.rows() <= kTileRows && width_ % kLanes == 0) return UseRows(depth);
        return PackRows(b.row(depth.begin) + col_, b.stride(), depth.size(), width_, packed_);
      case GemmForm::kNT:
        return PackTransposed(b.row(col_) + depth.begin, b.stride(), depth.size(), width_, packed_);
      case GemmForm::kTN:
        // Activations have a stride that suits L1 (PaddedStride): no need to pack whole vectors.
        if (width_ % kLanes == 0) return UseRows(depth);
        return PackRows(b.row(depth.begin) + col_, b.stride(), depth.size(), width_, packed_);
    }
  }

  // b's own rows, of whole vectors, instead of a packed panel.
  void UseRows(Range depth) {
    b_ = block_.b.row(depth.begin) + col_;
    b_stride_ = block_.b.stride();
  }

  const GemmBlock& block_;
  const size_t col_;
  const size_t width_;
  const size_t depth_;
  const TileFunction* const tiles_;
  const float* b_ = nullptr;
  size_t b_stride_ = 0;
  alignas(64) float bias_[kPanel] = {};
  alignas(64) float packed_[kDepth * kPanel];
};

void Run(const GemmBlock& block) {
  for (size_t col = 0; col < block.c.cols(); col += kPanel) Panel(block, col).Run();
}

}  // namespace

template <>
const GemmKernels& GemmTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr GemmKernels kTable = {
      {Backend::kSimd, Isa::MLP_TARGET_ISA}, Run, kTileRows, kPanel, false};
  return kTable;
}

}  // namespace mlp::kernels
