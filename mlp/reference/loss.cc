#include "mlp/reference/loss.h"

#include <cmath>

#include "mlp/base/check.h"
#include "mlp/reference/softmax.h"

namespace mlp::reference {
namespace {

double Target(const Matrix& outputs, size_t i, size_t j, const std::vector<int>& labels) {
  if (outputs.cols == 1) return labels[i];
  return static_cast<size_t>(labels[i]) == j ? 1 : 0;
}

double Sigmoid(double z) {
  return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
}

// log(1 + e^z) without overflow.
double Softplus(double z) { return z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z)); }

}  // namespace

absl::string_view Name(Loss loss) {
  switch (loss) {
    case Loss::kSoftmaxCrossEntropy:
      return "softmax_cross_entropy";
    case Loss::kBinaryCrossEntropy:
      return "binary_cross_entropy";
    case Loss::kMeanSquaredError:
      return "mean_squared_error";
  }
  MLP_CHECK(false);
}

std::optional<Loss> LossByName(absl::string_view name) {
  for (const Loss loss : kLosses) {
    if (Name(loss) == name) return loss;
  }
  return std::nullopt;
}

double LossOf(Loss loss, const Matrix& outputs, const std::vector<int>& labels) {
  if (loss == Loss::kSoftmaxCrossEntropy) return SoftmaxCrossEntropy(outputs, labels);
  MLP_CHECK_EQ(outputs.rows, labels.size());
  double sum = 0;
  for (size_t i = 0; i < outputs.rows; ++i) {
    for (size_t j = 0; j < outputs.cols; ++j) {
      const double z = outputs(i, j);
      const double t = Target(outputs, i, j, labels);
      // -log s(z) = log(1 + e^-z), -log(1 - s(z)) = log(1 + e^z).
      sum += loss == Loss::kBinaryCrossEntropy ? t * Softplus(-z) + (1 - t) * Softplus(z)
                                               : (z - t) * (z - t);
    }
  }
  return sum / static_cast<double>(outputs.data.size());
}

Matrix LossGradient(Loss loss, const Matrix& outputs, const std::vector<int>& labels) {
  if (loss == Loss::kSoftmaxCrossEntropy) return SoftmaxCrossEntropyGradient(outputs, labels);
  MLP_CHECK_EQ(outputs.rows, labels.size());
  Matrix gradient(outputs.rows, outputs.cols);
  for (size_t i = 0; i < outputs.rows; ++i) {
    for (size_t j = 0; j < outputs.cols; ++j) {
      const double z = outputs(i, j);
      const double t = Target(outputs, i, j, labels);
      const double slope = loss == Loss::kBinaryCrossEntropy ? Sigmoid(z) - t : 2 * (z - t);
      gradient(i, j) = slope / static_cast<double>(outputs.data.size());
    }
  }
  return gradient;
}

std::vector<int> ClassesOf(Loss loss, const Matrix& outputs) {
  std::vector<int> classes(outputs.rows);
  for (size_t i = 0; i < outputs.rows; ++i) {
    if (outputs.cols == 1 && loss != Loss::kSoftmaxCrossEntropy) {
      classes[i] = outputs(i, 0) > (loss == Loss::kBinaryCrossEntropy ? 0 : 0.5);
    }
    for (size_t j = 1; j < outputs.cols; ++j) {
      if (outputs(i, j) > outputs(i, classes[i])) classes[i] = static_cast<int>(j);
    }
  }
  return classes;
}

}  // namespace mlp::reference
