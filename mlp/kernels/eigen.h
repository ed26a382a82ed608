// Eigen on our views. Included by eigen.cc files alone.
//
// Eigen's functions are templates whose names do not say what they were compiled for; the same
// names in objects of several instruction sets would be merged by the linker. So each instruction
// set gets a namespace of its own (-DEigen=Eigen_<isa>, see mlp_kernel_family).
#pragma once

#define EIGEN_DONT_PARALLELIZE
#define EIGEN_MPL2_ONLY
// Packed operands of the usual sizes live on the stack: nothing is allocated within a step.
#define EIGEN_STACK_ALLOCATION_LIMIT (1 << 20)
#include <Eigen/Core>

#include "mlp/tensor/matrix.h"

namespace mlp::kernels {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>> AsEigen(ConstMatrix m) {
  const auto index = [](size_t n) { return static_cast<Eigen::Index>(n); };
  return {m.data(), index(m.rows()), index(m.cols()), Eigen::OuterStride<>(index(m.stride()))};
}

inline Eigen::Map<RowMajor, 0, Eigen::OuterStride<>> AsEigen(Matrix m) {
  const auto index = [](size_t n) { return static_cast<Eigen::Index>(n); };
  return {m.data(), index(m.rows()), index(m.cols()), Eigen::OuterStride<>(index(m.stride()))};
}

}  // namespace
}  // namespace mlp::kernels
