#include "mlp/reference/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mlp/base/check.h"

namespace mlp::reference {
namespace {

double RowMax(const Matrix& z, size_t i) {
  double max = -std::numeric_limits<double>::infinity();
  for (size_t j = 0; j < z.cols; ++j) max = std::max(max, z(i, j));
  return max;
}

// sum over k of e^(z_ik - max): at least 1, at most the number of classes.
double RowSum(const Matrix& z, size_t i, double max) {
  double sum = 0;
  for (size_t j = 0; j < z.cols; ++j) sum += std::exp(z(i, j) - max);
  return sum;
}

void CheckLabels(const Matrix& logits, const std::vector<int>& labels) {
  MLP_CHECK_GT(logits.rows, 0u);
  MLP_CHECK_EQ(logits.rows, labels.size());
  for (const int label : labels) {
    MLP_CHECK_GE(label, 0);
    MLP_CHECK_LT(static_cast<size_t>(label), logits.cols);
  }
}

}  // namespace

Matrix Softmax(const Matrix& logits) {
  Matrix p(logits.rows, logits.cols);
  for (size_t i = 0; i < p.rows; ++i) {
    const double max = RowMax(logits, i);
    const double sum = RowSum(logits, i, max);
    for (size_t j = 0; j < p.cols; ++j) p(i, j) = std::exp(logits(i, j) - max) / sum;
  }
  return p;
}

Matrix LogSoftmax(const Matrix& logits) {
  Matrix log_p(logits.rows, logits.cols);
  for (size_t i = 0; i < log_p.rows; ++i) {
    const double max = RowMax(logits, i);
    const double log_sum = std::log(RowSum(logits, i, max));
    for (size_t j = 0; j < log_p.cols; ++j) log_p(i, j) = logits(i, j) - max - log_sum;
  }
  return log_p;
}

double SoftmaxCrossEntropy(const Matrix& logits, const std::vector<int>& labels) {
  CheckLabels(logits, labels);
  const Matrix log_p = LogSoftmax(logits);
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) sum -= log_p(i, labels[i]);
  return sum / labels.size();
}

Matrix SoftmaxCrossEntropyGradient(const Matrix& logits, const std::vector<int>& labels) {
  CheckLabels(logits, labels);
  Matrix gradient = Softmax(logits);
  for (size_t i = 0; i < labels.size(); ++i) gradient(i, labels[i]) -= 1;
  for (double& g : gradient.data) g /= labels.size();
  return gradient;
}

}  // namespace mlp::reference
