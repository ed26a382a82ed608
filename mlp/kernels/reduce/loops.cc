#include "mlp/kernels/loops.h"

#include <algorithm>

#include "mlp/kernels/reduce/kernels.h"

namespace mlp::kernels {
namespace {

void ColumnSums(ConstMatrix x, Output output, float* sums) {
  if (output == Output::kOverwrite) std::fill_n(sums, x.cols(), 0.0f);
  for (size_t i = 0; i < x.rows(); ++i) {
    const float* __restrict row = x.row(i);
    float* __restrict out = sums;
    for (size_t j = 0; j < x.cols(); ++j) out[j] += row[j];
  }
}

float SumOfSquares(size_t n, const float* x) {
  float sum = 0;
  MLP_VECTOR_SUM(sum)
  for (size_t i = 0; i < n; ++i) sum += x[i] * x[i];
  return sum;
}

}  // namespace

template <>
const ReduceKernels& ReduceTable<Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA>() {
  static constexpr ReduceKernels kTable = {
      {Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA}, ColumnSums, SumOfSquares};
  return kTable;
}

}  // namespace mlp::kernels
