// What tests of gradients need: random inputs, derivatives by central differences, and a comparison
// of vectors that says which element differs and by how much.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "mlp/base/check.h"
#include "mlp/base/rng.h"
#include "mlp/reference/matrix.h"

namespace mlp::reference {

// Standard normal numbers, times `scale`.
inline std::vector<double> RandomVector(size_t n, Stream& stream, double scale = 1) {
  std::vector<double> values(n);
  for (double& value : values) value = scale * stream.Normal();
  return values;
}

inline Matrix RandomMatrix(size_t rows, size_t cols, Stream& stream) {
  return Matrix(rows, cols, RandomVector(rows * cols, stream));
}

inline std::vector<int> RandomLabels(size_t n, size_t num_classes, Stream& stream) {
  std::vector<int> labels(n);
  for (int& label : labels) label = static_cast<int>(stream.Below(num_classes));
  return labels;
}

// The gradient of f at x: df/dx_i = (f(x + h e_i) - f(x - h e_i)) / 2h. With h = 1e-5 truncation
// (h^2) and rounding (1e-16 |f| / h) are about alike: 1e-10 where f and its derivatives are near 1.
inline std::vector<double> CentralDifferences(
    const std::function<double(const std::vector<double>&)>& f, std::vector<double> x) {
  constexpr double kStep = 1e-5;
  std::vector<double> gradient(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double center = x[i];
    const double right = x[i] = center + kStep;
    const double f_right = f(x);
    const double left = x[i] = center - kStep;
    gradient[i] = (f_right - f(x)) / (right - left);
    x[i] = center;
  }
  return gradient;
}

// Whether |actual_i - expected_i| <= tolerance * max(|expected_i|, floor) for every i: a relative
// error, and an absolute one (tolerance * floor) for elements smaller than the floor.
inline ::testing::AssertionResult IsClose(const std::vector<double>& actual,
                                          const std::vector<double>& expected, double tolerance,
                                          double floor) {
  MLP_CHECK_GT(floor, 0);
  if (actual.size() != expected.size()) {
    return ::testing::AssertionFailure()
           << actual.size() << " elements, expected " << expected.size();
  }
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]) / std::max(std::abs(expected[i]), floor);
    if (!(error <= tolerance)) {  // NaN fails.
      return ::testing::AssertionFailure()
             << "element " << i << " of " << actual.size() << ": " << actual[i] << ", expected "
             << expected[i] << "; relative error " << error << ", allowed " << tolerance;
    }
  }
  return ::testing::AssertionSuccess();
}

// Gradients agree with central differences to a relative error of 1e-6.
inline ::testing::AssertionResult IsCloseToDifferences(const std::vector<double>& gradient,
                                                       const std::vector<double>& differences) {
  return IsClose(gradient, differences, 1e-6, 1e-4);
}

}  // namespace mlp::reference
