// Row-major matrices that somebody else owns.
#pragma once

#include <cstddef>
#include <type_traits>

#include "mlp/base/check.h"

namespace mlp {

// rows x cols elements; a row is contiguous, rows are `stride` elements apart.
template <class T>
class MatrixView {
 public:
  MatrixView() = default;
  MatrixView(T* data, size_t rows, size_t cols) : MatrixView(data, rows, cols, cols) {}
  MatrixView(T* data, size_t rows, size_t cols, size_t stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {
    MLP_CHECK_GE(stride, cols);
  }
  // A matrix is a matrix of constants, not the reverse.
  template <class U>
  requires(std::is_same_v<T, const U>) MatrixView(const MatrixView<U>& other)
      : MatrixView(other.data(), other.rows(), other.cols(), other.stride()) {}

  T* data() const { return data_; }
  size_t rows() const { return rows_; }
  size_t cols() const { return cols_; }
  size_t stride() const { return stride_; }
  bool empty() const { return rows_ == 0 || cols_ == 0; }

  T* row(size_t i) const { return data_ + i * stride_; }
  T& operator()(size_t i, size_t j) const { return data_[i * stride_ + j]; }

  // Rows begin .. begin+n-1.
  MatrixView Rows(size_t begin, size_t n) const {
    MLP_CHECK_LE(begin + n, rows_);
    return {data_ + begin * stride_, n, cols_, stride_};
  }
  MatrixView Cols(size_t begin, size_t n) const {
    MLP_CHECK_LE(begin + n, cols_);
    return {data_ + begin, rows_, n, stride_};
  }

 private:
  T* data_ = nullptr;
  size_t rows_ = 0;
  size_t cols_ = 0;
  size_t stride_ = 0;
};

using Matrix = MatrixView<float>;
using ConstMatrix = MatrixView<const float>;

inline constexpr size_t kFloatsPerLine = 16;  // of a cache line

// The row stride, in floats, for a matrix of n columns that kernels run over: whole cache lines,
// and an odd number of them, so that the rows of a power-of-two width do not share L1 sets.
constexpr size_t PaddedStride(size_t n) {
  return ((n + kFloatsPerLine - 1) / kFloatsPerLine | 1) * kFloatsPerLine;
}

}  // namespace mlp
