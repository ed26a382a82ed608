// Dot products of bf16 pairs (vdpbf16ps). By intrinsics alone: nothing here may be merged with what
// other files define.
#include <immintrin.h>

#include "mlp/kernels/peak/kernels.h"

namespace mlp::kernels {
namespace {

constexpr size_t kChains = 24;
constexpr size_t kLanes = 16;
static_assert(kChains * kLanes == kDotBf16Elements);

[[gnu::noinline]] double Run(size_t iterations) {
  __m512 sums[kChains];
  for (size_t i = 0; i < kChains; ++i) sums[i] = _mm512_setzero_ps();
  // 1/2 and 1/128 in bf16: a pair adds 2 * 1/2 * 1/128.
  __m512i half = _mm512_set1_epi16(0x3f00);
  __m512i small = _mm512_set1_epi16(0x3c00);
  asm volatile("" : "+v"(half), "+v"(small));
  for (size_t k = 0; k < iterations; ++k) {
#pragma GCC unroll 24
    for (size_t i = 0; i < kChains; ++i) {
      sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)half, (__m512bh)small);
    }
  }
  double total = 0;
  for (size_t i = 0; i < kChains; ++i) {
    alignas(64) float lanes[kLanes];
    _mm512_store_ps(lanes, sums[i]);
    for (size_t j = 0; j < kLanes; ++j) total += static_cast<double>(lanes[j]);
  }
  return total;
}

}  // namespace

const ArithmeticLoop& DotBf16Loop() {
  static constexpr ArithmeticLoop kLoop = {4.0 * kChains * kLanes, Run};
  return kLoop;
}

}  // namespace mlp::kernels
