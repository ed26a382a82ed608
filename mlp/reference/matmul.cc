// The loops run over k outside j where that makes them walk along rows; each c_ij adds its terms in
// the order of k all the same.
#include "mlp/reference/matmul.h"

#include "mlp/base/check.h"

namespace mlp::reference {

Matrix MatMul(const Matrix& a, const Matrix& b) {
  MLP_CHECK_EQ(a.cols, b.rows);
  Matrix c(a.rows, b.cols);
  for (size_t i = 0; i < c.rows; ++i) {
    for (size_t k = 0; k < a.cols; ++k) {
      for (size_t j = 0; j < c.cols; ++j) c(i, j) += a(i, k) * b(k, j);
    }
  }
  return c;
}

Matrix MatMulTransposedA(const Matrix& a, const Matrix& b) {
  MLP_CHECK_EQ(a.rows, b.rows);
  Matrix c(a.cols, b.cols);
  for (size_t k = 0; k < a.rows; ++k) {
    for (size_t i = 0; i < c.rows; ++i) {
      for (size_t j = 0; j < c.cols; ++j) c(i, j) += a(k, i) * b(k, j);
    }
  }
  return c;
}

Matrix MatMulTransposedB(const Matrix& a, const Matrix& b) {
  MLP_CHECK_EQ(a.cols, b.cols);
  Matrix c(a.rows, b.rows);
  for (size_t i = 0; i < c.rows; ++i) {
    for (size_t j = 0; j < c.cols; ++j) {
      for (size_t k = 0; k < a.cols; ++k) c(i, j) += a(i, k) * b(j, k);
    }
  }
  return c;
}

Matrix AddBias(Matrix a, const std::vector<double>& bias) {
  MLP_CHECK_EQ(a.cols, bias.size());
  for (size_t i = 0; i < a.rows; ++i) {
    for (size_t j = 0; j < a.cols; ++j) a(i, j) += bias[j];
  }
  return a;
}

std::vector<double> ColumnSums(const Matrix& a) {
  std::vector<double> sums(a.cols);
  for (size_t i = 0; i < a.rows; ++i) {
    for (size_t j = 0; j < a.cols; ++j) sums[j] += a(i, j);
  }
  return sums;
}

}  // namespace mlp::reference
