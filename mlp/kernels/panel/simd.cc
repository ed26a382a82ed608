// Register tiles over panels. Two vectors make a panel's width; a tile is some rows of it, kept in
// registers over the whole depth.
#include "mlp/base/simd.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "mlp/kernels/panel/kernels.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;
constexpr size_t kVecsPerPanel = 2;
constexpr size_t kWidth = kVecsPerPanel * kLanes;

// Accumulators, two vectors of b and one broadcast element: 14 x 2 + 2 + 1 of 32 registers with
// AVX-512, 6 x 2 + 2 + 1 of 16 with AVX2; without fused multiply-add one for the product, too:
// 5 x 2 + 2 + 1 + 1.
constexpr size_t kTileRows = kLanes == 16 ? 14 : kLanes == 8 ? 6 : 5;

template <size_t kRows, size_t kVecs>
using Tile = V[kRows][kVecs];

// tile += x y^T over `depth` steps: x has its rows kRowStep apart and goes kDepthStep further with
// each step, y is [depth, kWidth].
template <size_t kRowStep, size_t kDepthStep, size_t kRows, size_t kVecs>
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
      for (size_t v = 0; v < kVecs; ++v) tile[i][v] = MulAdd(element, row[v], tile[i][v]);
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

// Rows row .. row + kRows - 1 of the product.
template <size_t kRows, size_t kVecs>
[[gnu::noinline]] void ProductTile(const PanelProduct& job, size_t row) {
  const float* start = job.start != nullptr ? job.start : job.y + row * kWidth;
  const size_t start_step = job.start != nullptr ? 0 : kWidth;
  Tile<kRows, kVecs> tile;
#pragma GCC unroll 14
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (size_t v = 0; v < kVecs; ++v) {
      tile[i][v] = V::load_aligned(start + i * start_step + v * kLanes);
    }
  }
  const float* a = job.a + row * kWidth;
  const float* b = job.b;
  size_t left = job.depth;
  for (; left > kWidth; left -= kWidth) {
    Accumulate<kWidth, 1, kRows, kVecs>(tile, a, b, kWidth);
    a += job.a_stride;
    b += kWidth * kWidth;
  }
  Accumulate<kWidth, 1, kRows, kVecs>(tile, a, b, left);
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

template <size_t kRows, size_t kVecs>
[[gnu::noinline]] void GradientTile(const PanelGradient& job) {
  constexpr size_t kStep = 8;
  Tile<kRows, kVecs> tile;
#pragma GCC unroll 14
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (size_t v = 0; v < kVecs; ++v) tile[i][v] = V(0.0f);
  }
  for (size_t k = 0; k < job.batch; k += kStep) {
    job.prefetch->Next();
    Accumulate<1, kWidth, kRows, kVecs>(tile, job.x + k * kWidth, job.d + k * kWidth,
                                        std::min(kStep, job.batch - k));
  }
  Store<kRows, kVecs>(tile, job.gradient);
}

using ProductFunction = void (*)(const PanelProduct&, size_t);
using GradientFunction = void (*)(const PanelGradient&);

// By number of rows - 1.
template <size_t kVecs, size_t... kRow>
constexpr std::array<ProductFunction, kTileRows> ProductTiles(std::index_sequence<kRow...>) {
  return {ProductTile<kRow + 1, kVecs>...};
}
template <size_t kVecs, size_t... kRow>
constexpr std::array<GradientFunction, kTileRows> GradientTiles(std::index_sequence<kRow...>) {
  return {GradientTile<kRow + 1, kVecs>...};
}
using Rows = std::make_index_sequence<kTileRows>;
constexpr std::array<ProductFunction, kTileRows> kProductTiles[kVecsPerPanel] = {
    ProductTiles<1>(Rows()), ProductTiles<2>(Rows())};
constexpr std::array<GradientFunction, kTileRows> kGradientTiles[kVecsPerPanel] = {
    GradientTiles<1>(Rows()), GradientTiles<2>(Rows())};

// Of the vectors of a panel those that hold columns, less one.
size_t LastVec(size_t columns) { return columns > kLanes ? 1 : 0; }

void Product(const PanelProduct& job) {
  const auto& tiles = kProductTiles[LastVec(job.columns)];
  const size_t count = (job.rows + kTileRows - 1) / kTileRows;
  for (size_t i = 0; i < count; ++i) {
    const Range rows = Share(job.rows, 1, i, count);
    tiles[rows.size() - 1](job, rows.begin);
  }
}

void Gradient(const PanelGradient& job) { kGradientTiles[LastVec(job.columns)][job.rows - 1](job); }

void Transpose(const float* from, float* to) {
  for (size_t i = 0; i < kWidth; i += 4) {
    for (size_t j = 0; j < kWidth; j += 4) {
      Transpose4x4(from + i * kWidth + j, kWidth, to + j * kWidth + i, kWidth);
    }
  }
}

void Gather(const uint8_t* pixels, size_t features, std::span<const uint32_t> rows, size_t column,
            size_t columns, uint8_t* to, size_t stride) {
  // So many rows at a time fill whole lines of a panel.
  constexpr size_t kRows = 8;
  const size_t whole = columns / kWidth;
  const size_t rest = columns % kWidth;
  for (; !rows.empty(); rows = rows.subspan(std::min(kRows, rows.size())), to += kRows * kWidth) {
    const std::span<const uint32_t> some = rows.first(std::min(kRows, rows.size()));
    for (size_t p = 0; p < whole; ++p) {
      uint8_t* panel = to + p * stride;
      for (const uint32_t row : some) {
        std::memcpy(panel, pixels + row * features + column + p * kWidth, kWidth);
        panel += kWidth;
      }
    }
    if (rest > 0) {
      uint8_t* panel = to + whole * stride;
      std::memset(panel, 0, some.size() * kWidth);
      for (const uint32_t row : some) {
        std::memcpy(panel, pixels + row * features + column + whole * kWidth, rest);
        panel += kWidth;
      }
    }
  }
}

// Left to the compiler, which knows how each instruction set widens bytes.
void Convert(size_t n, float scale, const uint8_t* x, float* y) {
  for (size_t i = 0; i < n; i += kWidth) {
    for (size_t j = 0; j < kWidth; ++j) y[i + j] = scale * static_cast<float>(x[i + j]);
  }
}

void Sum(const PanelSum& job) {
  if (job.parts.size() == 2) {
    const float* x0 = job.parts[0].x;
    const float* x1 = job.parts[1].x;
    for (size_t i = 0; i < job.n; i += kLanes) {
      (V::load_aligned(x0 + i) + V::load_aligned(x1 + i)).store_aligned(job.y + i);
    }
    return;
  }
  V stack[PanelSum::kMaxDepth];
  for (size_t i = 0; i < job.n; i += kLanes) {
    size_t size = 0;
    for (const PanelSum::Part& part : job.parts) {
      stack[size++] = V::load_aligned(part.x + i);
      for (size_t k = 0; k < part.merges; ++k, --size) stack[size - 2] += stack[size - 1];
    }
    stack[0].store_aligned(job.y + i);
  }
}

}  // namespace

template <>
const PanelKernels& PanelTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr PanelKernels kTable = {{Backend::kSimd, Isa::MLP_TARGET_ISA},
                                          kWidth,
                                          kTileRows,
                                          Product,
                                          Gradient,
                                          Transpose,
                                          Gather,
                                          Convert,
                                          Sum};
  return kTable;
}

}  // namespace mlp::kernels
