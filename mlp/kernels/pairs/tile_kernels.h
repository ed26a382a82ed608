// Products of words by a unit that multiplies tiles: 16 rows of 16 words with 16 rows of 16 words,
// a sum in each of 16 x 16 elements. Two tiles make a panel's width, and two by two of sums share
// their operands. Included by sources that are compiled for one instruction set.
//
// A Unit has eight tiles, of 16 rows of 64 bytes:
//   Load<tile>(from, bytes)         rows from `from`, so many bytes apart
//   Zero<tile>()
//   Dot<sum, a, b>()                sum[i, j] += a's row i times b's column j, of words
//   Store<tile>(to, bytes)          as Load
#pragma once

#include <algorithm>
#include <cstring>

#include "mlp/kernels/pairs/kernels.h"
#include "mlp/kernels/pairs/pack.h"
#include "mlp/kernels/panel/tiles.h"
#include "mlp/kernels/panel/transpose.h"

namespace mlp::kernels {
namespace {

constexpr size_t kTileSide = 16;
constexpr size_t kTileWidth = 2 * kTileSide;  // of a panel
constexpr size_t kRowBytes = kTileWidth * sizeof(float);
constexpr size_t kTileBlock = kTileSide * kTileWidth;  // elements of 16 rows of a panel

// Tiles 0 to 3 are sums, 4 and 5 of a, 6 and 7 of b; kRows and kColumns of the two are in use.
template <class Unit, size_t kRows, size_t kColumns, class Visit>
[[gnu::always_inline]] inline void ForSums(Visit visit) {
  visit.template operator()<0>(0, 0);
  if constexpr (kColumns > 1) visit.template operator()<1>(0, 1);
  if constexpr (kRows > 1) visit.template operator()<2>(1, 0);
  if constexpr (kRows > 1 && kColumns > 1) visit.template operator()<3>(1, 1);
}

template <class Unit, size_t kRows, size_t kColumns>
[[gnu::always_inline]] inline void Dots(const float* a, size_t a_row_tile, const float* b) {
  Unit::template Load<4>(a, kRowBytes);
  if constexpr (kRows > 1) Unit::template Load<5>(a + a_row_tile, kRowBytes);
  Unit::template Load<6>(b, kRowBytes);
  if constexpr (kColumns > 1) Unit::template Load<7>(b + kTileSide, kRowBytes);
  Unit::template Dot<0, 4, 6>();
  if constexpr (kColumns > 1) Unit::template Dot<1, 4, 7>();
  if constexpr (kRows > 1) Unit::template Dot<2, 5, 6>();
  if constexpr (kRows > 1 && kColumns > 1) Unit::template Dot<3, 5, 7>();
}

// Rows `row` .. of start + a b, 16 of them for each of kRows; to: [16 kRows, kTileWidth].
template <class Unit, size_t kRows, size_t kColumns>
[[gnu::noinline]] void ProductOfTiles(const PanelProduct& job, std::span<const PanelTerm> terms,
                                      size_t row, float* to) {
  const float* y = job.y + row * kTileWidth;
  ForSums<Unit, kRows, kColumns>([&]<int kSum>(size_t i, size_t j) {
    if (job.start != nullptr) {
      Unit::template Load<kSum>(job.start + j * kTileSide, 0);
    } else {
      Unit::template Load<kSum>(y + i * kTileBlock + j * kTileSide, kRowBytes);
    }
  });
  for (const PanelTerm& term : terms) {
    const float* a = job.a + term.a + row * kTileWidth;
    const float* b = job.b + term.b;
    for (size_t k = 0; k < job.depth; k += kTileSide) {
      Dots<Unit, kRows, kColumns>(a + k / kTileWidth * job.a_stride + k % kTileWidth, kTileBlock,
                                  b + k * kTileWidth);
    }
  }
  ForSums<Unit, kRows, kColumns>([&]<int kSum>(size_t i, size_t j) {
    Unit::template Store<kSum>(to + i * kTileBlock + j * kTileSide, kRowBytes);
  });
}

template <class Unit>
void TileProduct(const PanelProduct& job, std::span<const PanelTerm> terms) {
  const bool wide = job.columns > kTileSide;
  // What is to be added may lie where y goes.
  alignas(64) float sums[2 * kTileBlock];
  for (size_t row = 0; row < job.rows; row += 2 * kTileSide) {
    const size_t rows = std::min(2 * kTileSide, job.rows - row);
    float* y = job.y + row * kTileWidth;
    float* to = job.add.empty() ? y : sums;
    if (rows > kTileSide) {
      wide ? ProductOfTiles<Unit, 2, 2>(job, terms, row, to)
           : ProductOfTiles<Unit, 2, 1>(job, terms, row, to);
    } else {
      wide ? ProductOfTiles<Unit, 1, 2>(job, terms, row, to)
           : ProductOfTiles<Unit, 1, 1>(job, terms, row, to);
    }
    for (size_t i = 0; !wide && i < rows; ++i) {
      std::fill_n(to + i * kTileWidth + kTileSide, kTileSide, 0.0f);
    }
    if (job.add.empty()) continue;
    for (size_t i = 0; i < rows * kTileWidth; i += kLanes) {
      V sum = V::load_aligned(sums + i);
      for (const float* panel : job.add) {
        sum = V::load_aligned(panel + row * kTileWidth + i) + sum;
      }
      sum.store_aligned(y + i);
    }
  }
}

// gradient = x^T d, [16 kRows, kTileWidth]. x has its words transposed, see TileXRows.
template <class Unit, size_t kRows, size_t kColumns>
[[gnu::noinline]] void GradientOfTiles(const PanelUpdate& job, std::span<const PanelTerm> terms,
                                       float* gradient) {
  ForSums<Unit, kRows, kColumns>([]<int kSum>(size_t, size_t) { Unit::template Zero<kSum>(); });
  for (const PanelTerm& term : terms) {
    for (size_t k = 0; k < job.batch; k += kTileSide) {
      job.prefetch->Next();
      Dots<Unit, kRows, kColumns>(job.x + term.a + k * kTileWidth, kTileSide,
                                  job.d + term.b + k * kTileWidth);
    }
  }
  ForSums<Unit, kRows, kColumns>([&]<int kSum>(size_t i, size_t j) {
    Unit::template Store<kSum>(gradient + i * kTileBlock + j * kTileSide, kRowBytes);
  });
}

template <class Unit, class Optimizer, class Math>
void UpdateByTiles(const UpdateStep& step_in, const PanelUpdate& job,
                   std::span<const PanelTerm> terms) {
  const UpdateStep step = step_in;
  alignas(64) float gradient[2 * kTileBlock];
  const bool tall = job.rows > kTileSide;
  if (job.columns > kTileSide) {
    tall ? GradientOfTiles<Unit, 2, 2>(job, terms, gradient)
         : GradientOfTiles<Unit, 1, 2>(job, terms, gradient);
  } else {
    std::fill_n(gradient, 2 * kTileBlock, 0.0f);
    tall ? GradientOfTiles<Unit, 2, 1>(job, terms, gradient)
         : GradientOfTiles<Unit, 1, 1>(job, terms, gradient);
  }
  // The products are over sooner than the optimizer, so most lines are asked for here: as many in
  // all as other kernels ask for.
  const size_t lines = (job.batch + 2 * kTileWidth - 1) / (2 * kTileWidth);
  for (size_t i = 0; i < job.rows; ++i) {
    for (size_t line = 0; line < lines; ++line) job.prefetch->Next();
    Apply<Optimizer, Math>(step, job, i * kTileWidth, kTileWidth, gradient + i * kTileWidth);
  }
}

template <class Unit>
void TileUpdate(OptimizerKind kind, MathMode math, const UpdateStep& step, const PanelUpdate& job,
                std::span<const PanelTerm> terms) {
  ForOptimizer(kind, math, [&]<class Optimizer, class Math>() {
    UpdateByTiles<Unit, Optimizer, Math>(step, job, terms);
  });
}

constexpr size_t TileRows(size_t words) { return (words + kTileSide - 1) / kTileSide * kTileSide; }

void TilePackRows(size_t rows, float scale, const float* panel, const Split& to) {
  PackRows<kTileWidth>(rows, scale, panel, to);
  const size_t words = Words(rows);
  for (size_t t = 0; t < to.terms; ++t) {
    std::fill_n(to.to + t * to.stride + words * kTileWidth, (TileRows(words) - words) * kTileWidth,
                0.0f);
  }
}

// 16 rows of words, each half of their columns transposed in its place: rows of a tile are columns
// of x then.
[[gnu::always_inline]] inline void TransposeWords(const float* from, float* to) {
  for (size_t half = 0; half < kTileWidth; half += kTileSide) {
    for (size_t i = 0; i < kTileSide; i += kBlock) {
      for (size_t j = 0; j < kTileSide; j += kBlock) {
        TransposeBlock<kTileWidth>(from + i * kTileWidth + half + j,
                                   to + j * kTileWidth + half + i);
      }
    }
  }
}

// pack(first row, rows, where to) for every 16 words, then their transposes into `to`.
template <class Pack>
[[gnu::always_inline]] inline void PackTransposed(size_t rows, const Split& to, Pack pack) {
  constexpr size_t kRows = 2 * kTileSide;
  alignas(64) float words[kMaxTerms * kTileBlock];
  for (size_t i = 0; i < rows; i += kRows) {
    if (rows - i < kRows) std::fill_n(words, to.terms * kTileBlock, 0.0f);
    pack(i, std::min(kRows, rows - i), Split{words, to.terms, kTileBlock});
    for (size_t t = 0; t < to.terms; ++t) {
      TransposeWords(words + t * kTileBlock, to.to + t * to.stride + i / 2 * kTileWidth);
    }
  }
}

void TileXRows(size_t rows, const float* panel, const Split& to) {
  PackTransposed(rows, to, [panel](size_t row, size_t count, const Split& words) {
    PackRows<kTileWidth>(count, 1, panel + row * kTileWidth, words);
  });
}

void TileByteRows(size_t rows, const uint8_t* panel, float* to) {
  PackTransposed(rows, {to, 1, 0}, [panel](size_t row, size_t count, const Split& words) {
    PackByteRows<kTileWidth>(count, panel + row * kTileWidth, words.to);
  });
}

template <class Unit>
constexpr PairKernels TileTable(absl::string_view name, const ThreadState* state) {
  return {.target = {Backend::kSimd, Isa::MLP_TARGET_ISA},
          .unit = name,
          .width = kTileWidth,
          .grain = kTileSide,
          .state = state,
          .product = TileProduct<Unit>,
          .update = TileUpdate<Unit>,
          .columns = PackColumns<kTileWidth, float>,
          .rows = TilePackRows,
          .x_rows = TileXRows,
          .byte_columns = PackByteColumns<kTileWidth>,
          .byte_rows = TileByteRows};
}

}  // namespace
}  // namespace mlp::kernels
