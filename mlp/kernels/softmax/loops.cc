#include "mlp/kernels/loops.h"

#include "mlp/kernels/math.h"
#include "mlp/kernels/softmax/kernels.h"

namespace mlp::kernels {
namespace {

float Max(size_t n, const float* x) {
  float largest = x[0];
  for (size_t j = 1; j < n; ++j) largest = max(largest, x[j]);
  return largest;
}

template <class Math>
float ExpAndSum(size_t n, float shift, const float* x, float* y) {
  MLP_INDEPENDENT
  for (size_t j = 0; j < n; ++j) y[j] = Math::Exp(x[j] - shift);
  float sum = 0;
  for (size_t j = 0; j < n; ++j) sum += y[j];
  return sum;
}

float Exp(MathMode math, size_t n, float shift, const float* x, float* y) {
  return math == MathMode::kFast ? ExpAndSum<FastMath>(n, shift, x, y)
                                 : ExpAndSum<ExactMath>(n, shift, x, y);
}

}  // namespace

template <>
const SoftmaxKernels& SoftmaxTable<Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA>() {
  static constexpr SoftmaxKernels kTable = {
      {Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA}, Max, Exp};
  return kTable;
}

}  // namespace mlp::kernels
