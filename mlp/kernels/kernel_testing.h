// What tests of kernels share: targets to run on, matrices with room around them, comparisons.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/kernels.h"
#include "mlp/reference/matrix.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

// Teams that results must not depend on. More workers than cores, and than some have rows, too.
inline constexpr int kTeamSizes[] = {1, 2, 3, 8};

inline constexpr double kUlp = std::numeric_limits<float>::epsilon();
inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// "simd_avx2", for INSTANTIATE_TEST_SUITE_P over SupportedTargets().
inline std::string TestName(const testing::TestParamInfo<Target>& info) {
  std::string name = Name(info.param);
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

// A matrix with room around it: rows are further apart than they are long, and what lies between
// must stay as it was. Filled with numbers uniform on [low, high).
class Padded {
 public:
  Padded(size_t rows, size_t cols, Stream& stream, float low = -1, float high = 1)
      : rows_(rows), cols_(cols), buffer_(rows * Stride() + kGuard) {
    for (float& x : buffer_) x = kMark;
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < cols; ++j) view()(i, j) = stream.Uniform(low, high);
    }
  }
  Matrix view() { return {buffer_.data(), rows_, cols_, Stride()}; }
  reference::Matrix Double() {
    reference::Matrix m{rows_, cols_, std::vector<double>(rows_ * cols_)};
    for (size_t i = 0; i < rows_ * cols_; ++i) m.data[i] = view()(i / cols_, i % cols_);
    return m;
  }
  bool GapsAreUntouched() {
    for (size_t i = 0; i < buffer_.size(); ++i) {
      const bool inside = i < rows_ * Stride() && i % Stride() < cols_;
      if (!inside && buffer_[i] != kMark) return false;
    }
    return true;
  }

 private:
  static constexpr float kMark = 1234.5f;
  static constexpr size_t kGuard = 64;
  size_t Stride() const { return cols_ + 3; }
  size_t rows_, cols_;
  AlignedBuffer<float> buffer_;
};

// |actual - expected| <= relative |expected| + absolute; NaN for NaN, infinity for infinity.
inline testing::AssertionResult IsNear(double actual, double expected, double relative,
                                       double absolute) {
  if (std::isnan(expected) ? std::isnan(actual)
                           : actual == expected || std::abs(actual - expected) <=
                                                       relative * std::abs(expected) + absolute) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << actual << ", expected " << expected << " within "
                                     << relative << " of it and " << absolute << "; ";
}

}  // namespace mlp::kernels
