// Products of single precision, and the ways into panels and between them.
#include "mlp/base/simd.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "mlp/kernels/copy_runs.h"
#include "mlp/kernels/panel/kernels.h"
#include "mlp/kernels/panel/tiles.h"
#include "mlp/kernels/panel/transpose.h"

namespace mlp::kernels {
namespace {

struct Single {
  static constexpr size_t kSamplesPerLine = 8;
  static constexpr bool kHasTerms = false;
  static constexpr bool kStartsFromZero = false;
  [[gnu::always_inline]] static V Apply(V element, V row, V sum) {
    return MulAdd(element, row, sum);
  }
};

constexpr PanelTerm kOneTerm[1] = {};

void ProductOfSingles(const PanelProduct& job) { Product<Single>(job, kOneTerm); }

void UpdateBySingles(OptimizerKind kind, MathMode math, const UpdateStep& step,
                     const PanelUpdate& job) {
  Update<Single>(kind, math, step, job, kOneTerm);
}

void Transpose(const float* from, float* to) {
  for (size_t i = 0; i < kWidth; i += kBlock) {
    for (size_t j = 0; j < kWidth; j += kBlock) {
      TransposeBlock<kWidth>(from + i * kWidth + j, to + j * kWidth + i);
    }
  }
}

void Gather(const PanelGather& job) {
  const size_t whole = job.columns / kWidth;
  const size_t rest = job.columns % kWidth;
  uint8_t* to = job.to;
  for (size_t begin = 0; begin < job.rows.size();
       begin += kGatherRows, to += kGatherRows * kWidth) {
    const size_t n = std::min(kGatherRows, job.rows.size() - begin);
    std::array<const uint8_t*, kGatherRows> from;
    for (size_t i = 0; i < n; ++i) {
      const uint8_t* row = job.pixels + job.rows[begin + i] * job.features;
      if (job.runs.size() == 1) {
        from[i] = row + job.runs.front().begin;
        continue;
      }
      uint8_t* copy = job.scratch + i * GatherRowBytes(job.columns);
      CopyRuns(row, job.features, job.runs, copy);
      from[i] = copy;
    }
    for (size_t p = 0; p < whole; ++p) {
      for (size_t i = 0; i < n; ++i) {
        std::memcpy(to + p * job.stride + i * kWidth, from[i] + p * kWidth, kWidth);
      }
    }
    if (rest == 0) continue;
    uint8_t* panel = to + whole * job.stride;
    std::memset(panel, 0, n * kWidth);
    for (size_t i = 0; i < n; ++i) {
      std::memcpy(panel + i * kWidth, from[i] + whole * kWidth, rest);
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

void Publish(size_t n, const float* from, float* to) {
  for (size_t i = 0; i < n; i += kLanes) StreamAligned(V::load_aligned(from + i), to + i);
}

}  // namespace

template <>
const PanelKernels& PanelTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr PanelKernels kTable = {{Backend::kSimd, Isa::MLP_TARGET_ISA},
                                          kWidth,
                                          ProductOfSingles,
                                          UpdateBySingles,
                                          Transpose,
                                          Gather,
                                          Convert,
                                          Sum,
                                          Publish};
  return kTable;
}

}  // namespace mlp::kernels
