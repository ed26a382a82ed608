#include "mlp/kernels/eigen.h"

#include "mlp/kernels/softmax/kernels.h"

namespace mlp::kernels {
namespace {

using ConstRow = Eigen::Map<const Eigen::ArrayXf>;
using Row = Eigen::Map<Eigen::ArrayXf>;

float Max(size_t n, const float* x) { return ConstRow(x, static_cast<Eigen::Index>(n)).maxCoeff(); }

// Eigen's exponential has one accuracy.
float Exp(MathMode, size_t n, float shift, const float* x, float* y) {
  Row out(y, static_cast<Eigen::Index>(n));
  out = (ConstRow(x, static_cast<Eigen::Index>(n)) - shift).exp();
  return out.sum();
}

}  // namespace

template <>
const SoftmaxKernels& SoftmaxTable<Backend::kEigen, Isa::MLP_TARGET_ISA>() {
  static constexpr SoftmaxKernels kTable = {{Backend::kEigen, Isa::MLP_TARGET_ISA}, Max, Exp};
  return kTable;
}

}  // namespace mlp::kernels
