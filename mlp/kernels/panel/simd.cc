// Products of single precision, and the ways into panels and between them.
#include "mlp/base/simd.h"

#include <algorithm>
#include <cstring>

#include "mlp/kernels/panel/kernels.h"
#include "mlp/kernels/panel/tiles.h"

namespace mlp::kernels {
namespace {

struct Single {
  static constexpr size_t kSamplesPerLine = 8;
  [[gnu::always_inline]] static V Apply(V element, V row, V sum) {
    return MulAdd(element, row, sum);
  }
};

#ifdef __AVX512F__
// 16 x 16 elements: pairs, fours, then quarters of vectors change places.
[[gnu::always_inline]] inline void TransposeBlock(const float* from, float* to) {
  constexpr size_t kSide = 16;
  __m512 a[kSide], b[kSide];
#pragma GCC unroll 16
  for (size_t i = 0; i < kSide; ++i) a[i] = _mm512_load_ps(from + i * kWidth);
#pragma GCC unroll 8
  for (size_t i = 0; i < kSide; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
  // a[4 g + c]: in each quarter q, rows 4 g .. 4 g + 3 of column 4 q + c.
#pragma GCC unroll 4
  for (size_t i = 0; i < kSide; i += 4) {
    a[i] = _mm512_shuffle_ps(b[i], b[i + 2], 0x44);
    a[i + 1] = _mm512_shuffle_ps(b[i], b[i + 2], 0xee);
    a[i + 2] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0x44);
    a[i + 3] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (size_t c = 0; c < 4; ++c) {
    const __m512 even = _mm512_shuffle_f32x4(a[c], a[4 + c], 0x88);  // quarters 0, 2
    const __m512 odd = _mm512_shuffle_f32x4(a[c], a[4 + c], 0xdd);   // quarters 1, 3
    const __m512 next_even = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0x88);
    const __m512 next_odd = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0xdd);
    _mm512_store_ps(to + c * kWidth, _mm512_shuffle_f32x4(even, next_even, 0x88));
    _mm512_store_ps(to + (4 + c) * kWidth, _mm512_shuffle_f32x4(odd, next_odd, 0x88));
    _mm512_store_ps(to + (8 + c) * kWidth, _mm512_shuffle_f32x4(even, next_even, 0xdd));
    _mm512_store_ps(to + (12 + c) * kWidth, _mm512_shuffle_f32x4(odd, next_odd, 0xdd));
  }
}
constexpr size_t kBlock = 16;
#else
[[gnu::always_inline]] inline void TransposeBlock(const float* from, float* to) {
  Transpose4x4(from, kWidth, to, kWidth);
}
constexpr size_t kBlock = 4;
#endif

void Transpose(const float* from, float* to) {
  for (size_t i = 0; i < kWidth; i += kBlock) {
    for (size_t j = 0; j < kWidth; j += kBlock) {
      TransposeBlock(from + i * kWidth + j, to + j * kWidth + i);
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
                                          Product<Single>,
                                          Update<Single>,
                                          Transpose,
                                          Gather,
                                          Convert,
                                          Sum};
  return kTable;
}

}  // namespace mlp::kernels
