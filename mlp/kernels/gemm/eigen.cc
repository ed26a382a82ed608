// Matrix products by Eigen.
#include "mlp/kernels/eigen.h"

#include "mlp/kernels/gemm/kernels.h"

namespace mlp::kernels {
namespace {

void Run(const GemmBlock& block) {
  const auto a = AsEigen(block.a);
  const auto b = AsEigen(block.b);
  auto c = AsEigen(block.c);
  if (block.output == Output::kOverwrite) {
    if (block.bias == nullptr) {
      c.setZero();
    } else {
      c.rowwise() = Eigen::Map<const Eigen::RowVectorXf>(block.bias, c.cols());
    }
  }
  switch (block.form) {
    case GemmForm::kNN:
      c.noalias() += a * b;
      break;
    case GemmForm::kNT:
      c.noalias() += a * b.transpose();
      break;
    case GemmForm::kTN:
      c.noalias() += a.transpose() * b;
      break;
  }
}

}  // namespace

template <>
const GemmKernels& GemmTable<Backend::kEigen, Isa::MLP_TARGET_ISA>() {
  // Eigen's blocking, and with it the order of its sums, follows from the sizes of the caches: the
  // same ones everywhere give the same bits everywhere.
  static const bool kFixed = (Eigen::setCpuCacheSizes(32 << 10, 1 << 20, 8 << 20), true);
  (void)kFixed;
  // Eigen's order of sums depends on the shape of the product that it is given.
  static constexpr GemmKernels kTable = {
      {Backend::kEigen, Isa::MLP_TARGET_ISA}, Run, 64, 128, true};
  return kTable;
}

}  // namespace mlp::kernels
