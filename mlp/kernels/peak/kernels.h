// What an instruction set provides for measuring peaks. All by the calling thread.
#pragma once

#include <cstddef>

#include "mlp/kernels/context.h"
#include "mlp/kernels/peak/peak.h"

namespace mlp::kernels {

// A loop of `iterations` times flop_per_iteration on registers. Returns the sum of what they hold
// at the end, so that nothing can be left out; the constants say what that is.
struct ArithmeticLoop {
  double flop_per_iteration;
  double (*run)(size_t iterations);
};

// Arrays of an optimizer's step, [n] each, n a multiple of kPeakGrain.
struct UpdateArrays {
  float* w;
  float* m;
  float* v;
  const float* g;
  size_t n;
};

// Lengths of arrays are multiples of this.
inline constexpr size_t kPeakGrain = 128;

struct PeakKernels {
  Target target;
  // Multiply-adds in chains x -> kFmaFactor x + kFmaAddend, chain i from i / 1024; they converge to
  // kFmaAddend / (1 - kFmaFactor).
  ArithmeticLoop multiply_add;
  size_t chains;  // of multiply_add, numbers in all
  // The sum of n floats, added up so many times.
  double (*read)(const float* x, size_t n, size_t times);
  // m += (g - m) / 8, v += (g - v) / 8, w -= m * v: Adam's traffic with the least arithmetic.
  void (*update)(const UpdateArrays& arrays);
};
inline constexpr float kFmaFactor = 0.5f;
inline constexpr float kFmaAddend = 1.0f;

const PeakKernels& FindPeakKernels(Isa isa);

// Sums of products of bf16 pairs: every element of the sum grows by k...Growth an iteration from
// 0. To be run only where that is true.
const ArithmeticLoop& DotBf16Loop();   // HasAvx512Bf16()
const ArithmeticLoop& TileBf16Loop();  // HasAmxBf16()
inline constexpr double kDotBf16Growth = 1.0 / 128;
inline constexpr double kTileBf16Growth = 1.0 / 8;
inline constexpr size_t kDotBf16Elements = 24 * 16;
inline constexpr size_t kTileBf16Elements = 4 * 16 * 16;

template <Backend backend, Isa isa>
const PeakKernels& PeakTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const PeakKernels& PeakTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::kernels
