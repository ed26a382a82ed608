#include "mlp/base/simd.h"

#include "mlp/kernels/math_simd.h"
#include "mlp/kernels/softmax/kernels.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;

float Max(size_t n, const float* x) {
  float largest = x[0];
  size_t j = 0;
  if (n >= kLanes) {
    V lanes = V::load_unaligned(x);
    for (j = kLanes; j + kLanes <= n; j += kLanes) lanes = max(V::load_unaligned(x + j), lanes);
    alignas(64) float stored[kLanes];
    lanes.store_aligned(stored);
    // In halves: a chain of kLanes comparisons would wait for each.
    for (size_t half = kLanes / 2; half > 0; half /= 2) {
      for (size_t k = 0; k < half; ++k) stored[k] = max(stored[k], stored[k + half]);
    }
    largest = stored[0];
  }
  for (; j < n; ++j) largest = max(largest, x[j]);
  return largest;
}

template <class Math>
float ExpAndSum(size_t n, float shift, const float* x, float* y) {
  V sums(0.0f);
  size_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    const V e = Math::Exp(V::load_unaligned(x + j) - V(shift));
    e.store_unaligned(y + j);
    sums += e;
  }
  float sum = xsimd::hadd(sums);
  if (j < n) {
    StorePartial(Math::Exp(LoadPartial<V>(x + j, n - j) - V(shift)), y + j, n - j);
    for (; j < n; ++j) sum += y[j];
  }
  return sum;
}

float Exp(MathMode math, size_t n, float shift, const float* x, float* y) {
  return math == MathMode::kFast ? ExpAndSum<FastMath>(n, shift, x, y)
                                 : ExpAndSum<ExactMath>(n, shift, x, y);
}

}  // namespace

template <>
const SoftmaxKernels& SoftmaxTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr SoftmaxKernels kTable = {{Backend::kSimd, Isa::MLP_TARGET_ISA}, Max, Exp};
  return kTable;
}

}  // namespace mlp::kernels
