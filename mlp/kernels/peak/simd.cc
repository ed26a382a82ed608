// The loops on one instruction set's vectors.
#include "mlp/base/simd.h"

#include "mlp/kernels/peak/kernels.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;
// More than latency times throughput asks for, and as many as there are registers for beside two
// constants.
constexpr size_t kChains = kLanes == 16 ? 24 : 12;
constexpr size_t kStreams = 8;
static_assert(kPeakGrain % (kStreams * kLanes) == 0);

double SumOf(V v) {
  alignas(64) float lanes[kLanes];
  v.store_aligned(lanes);
  double sum = 0;
  for (const float lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

// The compiler must take the value for anything.
void Hide(V& v) {
  auto& bits = v.data;
  asm volatile("" : "+x"(bits));
}

[[gnu::noinline]] double MultiplyAdd(size_t iterations) {
  V x[kChains];
  for (size_t i = 0; i < kChains; ++i) x[i] = V(static_cast<float>(i) / 1024);
  V factor(kFmaFactor);
  V addend(kFmaAddend);
  Hide(factor);
  Hide(addend);
  for (size_t k = 0; k < iterations; ++k) {
#pragma GCC unroll 24
    for (size_t i = 0; i < kChains; ++i) x[i] = MulAdd(x[i], factor, addend);
  }
  double sum = 0;
  for (size_t i = 0; i < kChains; ++i) sum += SumOf(x[i]);
  return sum;
}

[[gnu::noinline]] double Read(const float* x, size_t n, size_t times) {
  V sums[kStreams];
  for (V& sum : sums) sum = V(0.0f);
  for (size_t t = 0; t < times; ++t) {
    for (size_t k = 0; k < n; k += kStreams * kLanes) {
#pragma GCC unroll 8
      for (size_t i = 0; i < kStreams; ++i) sums[i] += V::load_aligned(x + k + i * kLanes);
    }
  }
  double total = 0;
  for (const V& sum : sums) total += SumOf(sum);
  return total;
}

[[gnu::noinline]] void Update(const UpdateArrays& arrays) {
  const UpdateArrays a = arrays;
  const V eighth(0.125f);
  for (size_t k = 0; k < a.n; k += kLanes) {
    const V g = V::load_aligned(a.g + k);
    V m = V::load_aligned(a.m + k);
    V v = V::load_aligned(a.v + k);
    m = MulAdd(g - m, eighth, m);
    v = MulAdd(g - v, eighth, v);
    m.store_aligned(a.m + k);
    v.store_aligned(a.v + k);
    SubMul(V::load_aligned(a.w + k), m, v).store_aligned(a.w + k);
  }
}

}  // namespace

template <>
const PeakKernels& PeakTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr PeakKernels kTable = {{Backend::kSimd, Isa::MLP_TARGET_ISA},
                                         {2.0 * kChains * kLanes, MultiplyAdd},
                                         kChains * kLanes,
                                         Read,
                                         Update};
  return kTable;
}

}  // namespace mlp::kernels
