// Register tiles over panels. Two vectors make a panel's width; a tile is some rows of it, kept in
// registers over the whole depth. Included by sources that are compiled for one instruction set.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "mlp/base/simd.h"
#include "mlp/kernels/math_simd.h"
#include "mlp/kernels/panel/panel.h"
#include "mlp/kernels/update/for_optimizer.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;
constexpr size_t kVecsPerPanel = 2;
constexpr size_t kWidth = kVecsPerPanel * kLanes;

// Accumulators, two vectors of b and one broadcast element: 14 x 2 + 2 + 1 of 32 registers with
// AVX-512, 6 x 2 + 2 + 1 of 16 with AVX2; without fused multiply-add one for the product, too:
// 5 x 2 + 2 + 1 + 1. Sanitizers find as much in small tiles, and instrument large ones for hours;
// bits are the same.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kTileRows = 3;
#else
constexpr size_t kTileRows = kLanes == 16 ? 14 : kLanes == 8 ? 6 : 5;
#endif

template <size_t kRows, size_t kVecs>
using Tile = V[kRows][kVecs];

// What a tile does with an element of x and a vector of y's row is an Op:
//   Apply(element, row, sum)   sum + their product
//   kSamplesPerLine            a line of bytes is asked for every so many steps over the batch
//   kHasTerms                  products are sums of several (PanelTerm); else of one, at 0
//   kStartsFromZero            a product's sums begin with 0 and `start` is added last: where sums
//                              are long, the error is smaller by far

// tile += x y^T, by Op, over `depth` steps: x has its rows kRowStep apart and goes kDepthStep
// further with each step, y is [depth, kWidth].
template <class Op, size_t kRowStep, size_t kDepthStep, size_t kRows, size_t kVecs>
[[gnu::always_inline]] inline void Accumulate(Tile<kRows, kVecs>& tile, const float* x,
                                              const float* y, size_t depth) {
  for (size_t k = 0; k < depth; ++k) {
    V row[kVecs];
#pragma GCC unroll 2
    for (size_t v = 0; v < kVecs; ++v) row[v] = V::load_aligned(y + v * kLanes);
#pragma GCC unroll 14
    for (size_t i = 0; i < kRows; ++i) {
      const V element(x[i * kRowStep]);
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecs; ++v) tile[i][v] = Op::Apply(element, row[v], tile[i][v]);
    }
    x += kDepthStep;
    y += kWidth;
  }
}

template <size_t kRows, size_t kVecs>
[[gnu::always_inline]] inline void Store(const Tile<kRows, kVecs>& tile, float* to) {
#pragma GCC unroll 14
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (size_t v = 0; v < kVecs; ++v) tile[i][v].store_aligned(to + i * kWidth + v * kLanes);
#pragma GCC unroll 2
    for (size_t v = kVecs; v < kVecsPerPanel; ++v) {
      V(0.0f).store_aligned(to + i * kWidth + v * kLanes);
    }
  }
}

template <class Op, class Visit>
[[gnu::always_inline]] inline void ForEachTerm(std::span<const PanelTerm> terms, Visit visit) {
  if constexpr (Op::kHasTerms) {
    for (const PanelTerm& term : terms) visit(term);
  } else {
    visit(PanelTerm());
  }
}

// Rows row .. row + kRows - 1 of the product.
template <class Op, size_t kRows, size_t kVecs>
[[gnu::noinline]] void ProductTile(const PanelProduct& job, std::span<const PanelTerm> terms,
                                   size_t row) {
  const float* start = job.start != nullptr ? job.start : job.y + row * kWidth;
  const size_t start_step = job.start != nullptr ? 0 : kWidth;
  Tile<kRows, kVecs> tile;
#pragma GCC unroll 14
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (size_t v = 0; v < kVecs; ++v) {
      tile[i][v] =
          Op::kStartsFromZero ? V(0.0f) : V::load_aligned(start + i * start_step + v * kLanes);
    }
  }
  ForEachTerm<Op>(
      terms, [&](const PanelTerm& term) __attribute__((always_inline)) {
        const float* a = job.a + term.a + row * kWidth;
        const float* b = job.b + term.b;
        size_t left = job.depth;
        for (; left > kWidth; left -= kWidth) {
          Accumulate<Op, kWidth, 1, kRows, kVecs>(tile, a, b, kWidth);
          a += job.a_stride;
          b += kWidth * kWidth;
        }
        Accumulate<Op, kWidth, 1, kRows, kVecs>(tile, a, b, left);
      });
  if (Op::kStartsFromZero) {
#pragma GCC unroll 14
    for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecs; ++v) {
        tile[i][v] = V::load_aligned(start + i * start_step + v * kLanes) + tile[i][v];
      }
    }
  }
  for (const float* panel : job.add) {
#pragma GCC unroll 14
    for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (size_t v = 0; v < kVecs; ++v) {
        tile[i][v] = V::load_aligned(panel + (row + i) * kWidth + v * kLanes) + tile[i][v];
      }
    }
  }
  Store<kRows, kVecs>(tile, job.y + row * kWidth);
}

// gradient = rows column .. column + kRows - 1 of x^T d, [kRows, kWidth].
template <class Op, size_t kRows, size_t kVecs>
[[gnu::noinline]] void GradientTile(const PanelUpdate& job, std::span<const PanelTerm> terms,
                                    size_t column, float* gradient) {
  constexpr size_t kStep = Op::kSamplesPerLine;
  Tile<kRows, kVecs> tile;
#pragma GCC unroll 14
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (size_t v = 0; v < kVecs; ++v) tile[i][v] = V(0.0f);
  }
  ForEachTerm<Op>(
      terms, [&](const PanelTerm& term) __attribute__((always_inline)) {
        const float* x = job.x + term.a + column;
        const float* d = job.d + term.b;
        for (size_t k = 0; k < job.batch; k += kStep) {
          job.prefetch->Next();
          Accumulate<Op, 1, kWidth, kRows, kVecs>(tile, x + k * kWidth, d + k * kWidth,
                                                  std::min(kStep, job.batch - k));
        }
      });
  Store<kRows, kVecs>(tile, gradient);
}

using ProductFunction = void (*)(const PanelProduct&, std::span<const PanelTerm>, size_t);
using GradientFunction = void (*)(const PanelUpdate&, std::span<const PanelTerm>, size_t, float*);

// By number of rows - 1.
template <class Op, size_t kVecs, size_t... kRow>
constexpr std::array<ProductFunction, kTileRows> ProductTiles(std::index_sequence<kRow...>) {
  return {ProductTile<Op, kRow + 1, kVecs>...};
}
template <class Op, size_t kVecs, size_t... kRow>
constexpr std::array<GradientFunction, kTileRows> GradientTiles(std::index_sequence<kRow...>) {
  return {GradientTile<Op, kRow + 1, kVecs>...};
}
using Rows = std::make_index_sequence<kTileRows>;
template <class Op>
constexpr std::array<ProductFunction, kTileRows> kProductTiles[kVecsPerPanel] = {
    ProductTiles<Op, 1>(Rows()), ProductTiles<Op, 2>(Rows())};
template <class Op>
constexpr std::array<GradientFunction, kTileRows> kGradientTiles[kVecsPerPanel] = {
    GradientTiles<Op, 1>(Rows()), GradientTiles<Op, 2>(Rows())};

// Of the vectors of a panel those that hold columns, less one.
inline size_t LastVec(size_t columns) { return columns > kLanes ? 1 : 0; }

// visit(first row, number of rows) for tiles as even as `rows` allows.
template <class Visit>
[[gnu::always_inline]] inline void ForEachTile(size_t rows, Visit visit) {
  const size_t count = (rows + kTileRows - 1) / kTileRows;
  if (count == 0) return;
  const size_t least = rows / count;
  const size_t larger = rows % count;
  for (size_t i = 0, row = 0; i < count; ++i) {
    const size_t n = least + (i < larger ? 1 : 0);
    visit(row, n);
    row += n;
  }
}

template <class Op>
void Product(const PanelProduct& job, std::span<const PanelTerm> terms) {
  const auto& tiles = kProductTiles<Op>[LastVec(job.columns)];
  ForEachTile(job.rows, [&](size_t row, size_t n) { tiles[n - 1](job, terms, row); });
}

// The optimizer's step for n weights, whole vectors, with their gradient.
template <class Optimizer, class Math>
[[gnu::always_inline]] inline void Apply(const UpdateStep& step, const PanelUpdate& job,
                                         size_t offset, size_t n, const float* gradient) {
  // Copies: vectors that are stored might alias the job's own pointers.
  float* const weights = job.weights + offset;
  float* states[kMaxStates];
#pragma GCC unroll 4
  for (size_t k = 0; k < Optimizer::kStates; ++k) states[k] = job.states[k] + offset;
  for (size_t i = 0; i < n; i += kLanes) {
    V weight = V::load_aligned(weights + i);
    V state[kMaxStates];
#pragma GCC unroll 4
    for (size_t k = 0; k < Optimizer::kStates; ++k) state[k] = V::load_aligned(states[k] + i);
    Optimizer::template Apply<Math>(step, V::load_aligned(gradient + i), weight, state);
    weight.store_aligned(weights + i);
#pragma GCC unroll 4
    for (size_t k = 0; k < Optimizer::kStates; ++k) state[k].store_aligned(states[k] + i);
  }
}

template <class Op, class Optimizer, class Math>
void UpdateTiles(const UpdateStep& step_in, const PanelUpdate& job,
                 std::span<const PanelTerm> terms) {
  const UpdateStep step = step_in;
  const auto& tiles = kGradientTiles<Op>[LastVec(job.columns)];
  alignas(64) float gradient[kTileRows * kWidth];
  ForEachTile(job.rows, [&](size_t row, size_t n) {
    tiles[n - 1](job, terms, row, gradient);
    Apply<Optimizer, Math>(step, job, row * kWidth, n * kWidth, gradient);
  });
}

template <class Op>
void Update(OptimizerKind kind, MathMode math, const UpdateStep& step, const PanelUpdate& job,
            std::span<const PanelTerm> terms) {
  ForOptimizer(kind, math, [&]<class Optimizer, class Math>() {
    UpdateTiles<Op, Optimizer, Math>(step, job, terms);
  });
}

}  // namespace
}  // namespace mlp::kernels
