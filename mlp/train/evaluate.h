// Loss, accuracy and predictions of a model as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "mlp/data/dataset.h"
#include "mlp/kernels/context.h"
#include "mlp/model/model.h"
#include "mlp/tensor/matrix.h"

namespace mlp::train {

struct EvaluateOptions {
  kernels::Target target = {};
  kernels::MathMode math = kernels::MathMode::kFast;
  int threads = 1;
  size_t batch_size = 256;  // more would take memory and gain nothing
};

struct Evaluation {
  size_t samples = 0;
  double loss = 0;      // mean, nats
  double accuracy = 0;  // part of the samples, 0 to 1
};

// Over the given rows, or all of them.
Evaluation Evaluate(const EvaluateOptions& options, const model::Model& model,
                    const data::Examples& examples, std::span<const uint32_t> rows);
Evaluation Evaluate(const EvaluateOptions& options, const model::Model& model,
                    const data::Examples& examples);

// Calls sink(first row, probabilities [n, classes], classes [n]) for one stretch of rows after the
// other. A row's class is what kernels::Classify says. Labels are not looked at.
void Predict(const EvaluateOptions& options, const model::Model& model,
             const data::Examples& examples,
             absl::FunctionRef<void(size_t, ConstMatrix, std::span<const uint32_t>)> sink);

// counts[actual * classes + predicted].
std::vector<size_t> ConfusionMatrix(const EvaluateOptions& options, const model::Model& model,
                                    const data::Examples& examples);

}  // namespace mlp::train
