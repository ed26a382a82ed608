// A net of values and the vectorised reference, both in double, trained by the same steps: how far
// apart are they?
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mlp/autograd/training.h"
#include "mlp/base/largest_error.h"
#include "mlp/data/dataset.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"

namespace mlp::experiments {

// Differences of weights that are rounding errors: some ulps of a sum of up to a thousand terms.
inline constexpr double kRounding = 1e-12;

// The reference beside a net of values.
class ReferenceTraining {
 public:
  // options: with all activations, without dropout. start: the weights, in the layout of
  // model::Model.
  ReferenceTraining(const autograd::TrainingOptions& options, const std::vector<double>& start);

  // The optimizer's state stays.
  void SetWeights(const std::vector<double>& weights);
  // One step on the mean gradient of these rows.
  void TrainStep(const data::Examples& examples, std::span<const uint32_t> rows,
                 double learning_rate);
  // The largest difference of a weight from these.
  double Deviation(const std::vector<double>& weights) const;

 private:
  std::vector<size_t> widths_;
  std::vector<reference::Activation> activations_;
  const double l2_;
  reference::Mlp net_;
  std::unique_ptr<reference::Optimizer> optimizer_;
};

// Two questions: does every step of a training do what the reference does from the same weights?
// And how long do the two agree when each goes its own way? They part in the end: training by
// single samples amplifies any rounding error by some factor each step, and a ReLU that falls to
// the other side of its kink does so at once.
class ReferenceComparison {
 public:
  explicit ReferenceComparison(const autograd::TrainingOptions& options);

  void TrainStep(const data::Examples& examples, std::span<const uint32_t> rows,
                 double learning_rate);

  // The net of values' own, in the layout of model::Model.
  const std::vector<double>& weights() const { return weights_; }
  // The largest difference of a weight after any one step from the same weights.
  double step_deviation() const { return step_deviation_.value(); }
  // The steps from the same initial weights up to which no weight differed by more than kRounding,
  // and the largest difference at that point.
  size_t agreeing_steps() const { return agreeing_steps_; }
  double weight_deviation() const { return weight_deviation_; }

 private:
  autograd::ValueTraining<double> values_;
  std::vector<double> weights_;
  ReferenceTraining step_by_step_;  // which gets the weights of the net of values before each step
  ReferenceTraining alone_;
  LargestError step_deviation_;
  bool agrees_ = true;
  size_t agreeing_steps_ = 0;
  double weight_deviation_ = 0;
};

}  // namespace mlp::experiments
