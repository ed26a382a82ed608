// The matrix of the reference: row-major doubles that it owns.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "mlp/base/check.h"

namespace mlp::reference {

struct Matrix {
  Matrix() = default;
  // All zeros.
  Matrix(size_t num_rows, size_t num_cols)
      : Matrix(num_rows, num_cols, std::vector<double>(num_rows * num_cols)) {}
  // `values` row after row: num_rows * num_cols of them.
  Matrix(size_t num_rows, size_t num_cols, std::vector<double> values)
      : rows(num_rows), cols(num_cols), data(std::move(values)) {
    MLP_CHECK_EQ(data.size(), rows * cols);
  }

  double& operator()(size_t i, size_t j) { return data[i * cols + j]; }
  double operator()(size_t i, size_t j) const { return data[i * cols + j]; }

  size_t rows = 0;
  size_t cols = 0;
  std::vector<double> data;  // [rows, cols]
};

}  // namespace mlp::reference
