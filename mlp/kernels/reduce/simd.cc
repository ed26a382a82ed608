#include "mlp/base/simd.h"

#include "mlp/kernels/reduce/kernels.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;

// kVecs vectors of columns at a time, from x on: several sums hide the latency of an addition.
template <size_t kVecs>
[[gnu::always_inline]] inline void SumColumns(const float* x, size_t rows, size_t stride, bool add,
                                              float* to) {
  V sums[kVecs];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVecs; ++v) sums[v] = add ? V::load_unaligned(to + v * kLanes) : V(0.0f);
  for (size_t i = 0; i < rows; ++i, x += stride) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVecs; ++v) sums[v] += V::load_unaligned(x + v * kLanes);
  }
#pragma GCC unroll 4
  for (size_t v = 0; v < kVecs; ++v) sums[v].store_unaligned(to + v * kLanes);
}

void ColumnSums(ConstMatrix x, Output output, float* sums) {
  const bool add = output == Output::kAdd;
  size_t j = 0;
  for (; j + 4 * kLanes <= x.cols(); j += 4 * kLanes) {
    SumColumns<4>(x.data() + j, x.rows(), x.stride(), add, sums + j);
  }
  if (j + 2 * kLanes <= x.cols()) {
    SumColumns<2>(x.data() + j, x.rows(), x.stride(), add, sums + j);
    j += 2 * kLanes;
  }
  if (j + kLanes <= x.cols()) {
    SumColumns<1>(x.data() + j, x.rows(), x.stride(), add, sums + j);
    j += kLanes;
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
