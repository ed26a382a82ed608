// Products of matrices, and what a dense layer needs beside them.
//
// A dense layer and its gradients (Goodfellow, Bengio, Courville, "Deep Learning", 2016, section
// 6.5) are one line each:
//   Z = X W + b                         AddBias(MatMul(x, w), b)
//   dW = X^T dZ, db = sum of dZ's rows  MatMulTransposedA(x, dz), ColumnSums(dz)
//   dX = dZ W^T                         MatMulTransposedB(dz, w)
#pragma once

#include <vector>

#include "mlp/reference/matrix.h"

namespace mlp::reference {

// C = A B: c_ij = sum over k of a_ik b_kj. [m, k] [k, n] -> [m, n]
Matrix MatMul(const Matrix& a, const Matrix& b);

// C = A^T B: c_ij = sum over k of a_ki b_kj. [k, m] [k, n] -> [m, n]
Matrix MatMulTransposedA(const Matrix& a, const Matrix& b);

// C = A B^T: c_ij = sum over k of a_ik b_jk. [m, k] [n, k] -> [m, n]
Matrix MatMulTransposedB(const Matrix& a, const Matrix& b);

// `bias` [n] added to every row of `a` [m, n].
Matrix AddBias(Matrix a, const std::vector<double>& bias);

// The sum of each column. [m, n] -> [n]
std::vector<double> ColumnSums(const Matrix& a);

}  // namespace mlp::reference
