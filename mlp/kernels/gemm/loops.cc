// Matrix products as plain loops, in the order that lets a compiler vectorise them.
#include "mlp/kernels/loops.h"

#include "mlp/kernels/gemm/kernels.h"

namespace mlp::kernels {
namespace {

// One row of c: what the product is added to.
void StartRow(const GemmBlock& block, size_t i) {
  float* c = block.c.row(i);
  if (block.output == Output::kAdd) return;
  for (size_t j = 0; j < block.c.cols(); ++j) c[j] = block.bias == nullptr ? 0 : block.bias[j];
}

// c[j] += x * b[j] for j < n.
void AddScaled(size_t n, float x, const float* __restrict b, float* __restrict c) {
  for (size_t j = 0; j < n; ++j) c[j] += x * b[j];
}

float Dot(size_t n, const float* __restrict a, const float* __restrict b) {
  float sum = 0;
  MLP_VECTOR_SUM(sum)
  for (size_t p = 0; p < n; ++p) sum += a[p] * b[p];
  return sum;
}

void Run(const GemmBlock& block) {
  const auto& [form, a, b, bias, output, c] = block;
  for (size_t i = 0; i < c.rows(); ++i) {
    StartRow(block, i);
    switch (form) {
      case GemmForm::kNN:
        for (size_t p = 0; p < a.cols(); ++p) AddScaled(c.cols(), a(i, p), b.row(p), c.row(i));
        break;
      case GemmForm::kTN:
        for (size_t p = 0; p < a.rows(); ++p) AddScaled(c.cols(), a(p, i), b.row(p), c.row(i));
        break;
      case GemmForm::kNT:
        for (size_t j = 0; j < c.cols(); ++j) c(i, j) += Dot(a.cols(), a.row(i), b.row(j));
        break;
    }
  }
}

}  // namespace

template <>
const GemmKernels& GemmTable<Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA>() {
  static constexpr GemmKernels kTable = {
      {Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA}, Run, 1, 16, false};
  return kTable;
}

}  // namespace mlp::kernels
