#include "mlp/base/simd.h"

#include "mlp/kernels/reduce/kernels.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;

void ColumnSums(ConstMatrix x, Output output, float* sums) {
  const bool add = output == Output::kAdd;
  size_t j = 0;
  for (; j + kLanes <= x.cols(); j += kLanes) {
    V sum = add ? V::load_unaligned(sums + j) : V(0.0f);
    for (size_t i = 0; i < x.rows(); ++i) sum += V::load_unaligned(x.row(i) + j);
    sum.store_unaligned(sums + j);
  }
  for (; j < x.cols(); ++j) {
    float sum = add ? sums[j] : 0.0f;
    for (size_t i = 0; i < x.rows(); ++i) sum += x(i, j);
    sums[j] = sum;
  }
}

float SumOfSquares(size_t n, const float* x) {
  // Four sums hide the latency of the addition.
  V sums[4] = {V(0.0f), V(0.0f), V(0.0f), V(0.0f)};
  size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (size_t k = 0; k < 4; ++k) {
      const V v = V::load_unaligned(x + i + k * kLanes);
      sums[k] = MulAdd(v, v, sums[k]);
    }
  }
  float sum = xsimd::hadd((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < n; ++i) sum += x[i] * x[i];
  return sum;
}

}  // namespace

template <>
const ReduceKernels& ReduceTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr ReduceKernels kTable = {
      {Backend::kSimd, Isa::MLP_TARGET_ISA}, ColumnSums, SumOfSquares};
  return kTable;
}

}  // namespace mlp::kernels
