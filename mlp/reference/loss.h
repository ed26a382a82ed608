// Losses of a batch of outputs [batch, outputs] under one label for each row, and their gradients.
//
//   softmax_cross_entropy  -log p_label, p = softmax of the outputs           see softmax.h
//   binary_cross_entropy   mean over the outputs z of -t log s - (1 - t) log(1 - s), s = 1 / (1 +
//                          e^-z) (Goodfellow, Bengio, Courville, "Deep Learning", 2016, 6.2.2.2)
//   mean_squared_error     mean over the outputs z of (z - t)^2               ibid., 6.2.2.1
//
// The target t of a single output is the label, 0 or 1; of several, 1 for the label's own output
// and 0 for the others. All are means over the batch.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "mlp/reference/matrix.h"

namespace mlp::reference {

enum class Loss { kSoftmaxCrossEntropy, kBinaryCrossEntropy, kMeanSquaredError };

inline constexpr std::array kLosses = {Loss::kSoftmaxCrossEntropy, Loss::kBinaryCrossEntropy,
                                       Loss::kMeanSquaredError};

// As in the table above.
absl::string_view Name(Loss loss);

// The loss of that name, if there is one.
std::optional<Loss> LossByName(absl::string_view name);

// batch > 0.
double LossOf(Loss loss, const Matrix& outputs, const std::vector<int>& labels);

// dL/dz. [batch, outputs]
Matrix LossGradient(Loss loss, const Matrix& outputs, const std::vector<int>& labels);

// The class that each row stands for: of the greatest output, the first of equals; of a single
// output whether it is above 0 (binary_cross_entropy) or 1/2 (mean_squared_error).
std::vector<int> ClassesOf(Loss loss, const Matrix& outputs);

}  // namespace mlp::reference
