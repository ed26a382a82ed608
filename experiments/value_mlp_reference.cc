#include "experiments/value_mlp_reference.h"

#include <cmath>

#include "mlp/optim/textbook.h"
#include "mlp/reference/activation.h"
#include "mlp/reference/matrix.h"

namespace mlp::experiments {
namespace {

std::vector<reference::Activation> ActivationsOf(const autograd::TrainingOptions& options) {
  std::vector<reference::Activation> activations;
  for (const autograd::Activation activation : options.activations) {
    activations.push_back(reference::ActivationByName(Name(activation)).value());
  }
  activations.push_back(reference::Activation::kIdentity);
  return activations;
}

}  // namespace

ReferenceTraining::ReferenceTraining(const autograd::TrainingOptions& options,
                                     const std::vector<double>& start)
    : widths_(options.widths),
      activations_(ActivationsOf(options)),
      l2_(options.l2),
      net_(widths_, activations_, start),
      optimizer_(optim::Textbook(options.optimizer)) {}

void ReferenceTraining::SetWeights(const std::vector<double>& weights) {
  net_ = reference::Mlp(widths_, activations_, weights);
}

void ReferenceTraining::TrainStep(const data::Examples& examples, std::span<const uint32_t> rows,
                                  double learning_rate) {
  reference::Matrix x(rows.size(), examples.features);
  std::vector<int> labels;
  for (size_t i = 0; i < rows.size(); ++i) {
    labels.push_back(examples.labels[rows[i]]);
    for (size_t j = 0; j < x.cols; ++j) {
      const size_t at = rows[i] * x.cols + j;
      x(i, j) = examples.pixels.empty() ? double{examples.values[at]} : examples.pixels[at] / 255.0;
    }
  }
  optimizer_->set_learning_rate(learning_rate);
  net_.Step(x, labels, *optimizer_, /*clip_norm=*/0, l2_);
}

double ReferenceTraining::Deviation(const std::vector<double>& weights) const {
  LargestError largest;
  for (size_t i = 0; i < weights.size(); ++i) {
    largest.Add(std::abs(weights[i] - net_.parameters()[i]));
  }
  return largest.value();
}

ReferenceComparison::ReferenceComparison(const autograd::TrainingOptions& options)
    : values_(options),
      weights_(values_.net().ModelParameters()),
      step_by_step_(options, weights_),
      alone_(options, weights_) {}

void ReferenceComparison::TrainStep(const data::Examples& examples, std::span<const uint32_t> rows,
                                    double learning_rate) {
  step_by_step_.SetWeights(weights_);
  step_by_step_.TrainStep(examples, rows, learning_rate);
  values_.set_learning_rate(learning_rate);
  values_.TrainStep(examples, rows);
  weights_ = values_.net().ModelParameters();
  step_deviation_.Add(step_by_step_.Deviation(weights_));
  if (!agrees_) return;
  alone_.TrainStep(examples, rows, learning_rate);
  const double deviation = alone_.Deviation(weights_);
  agrees_ = deviation <= kRounding;
  if (!agrees_) return;
  ++agreeing_steps_;
  weight_deviation_ = deviation;
}

}  // namespace mlp::experiments
