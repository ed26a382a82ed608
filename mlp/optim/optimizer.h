// An optimizer's settings and state; the formulas are in kernels/update/optimizer_math.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/base/team.h"
#include "mlp/kernels/update/update.h"

namespace mlp::optim {

struct OptimizerOptions {
  kernels::OptimizerKind kind = kernels::OptimizerKind::kAdam;
  double learning_rate = 1e-3;
  double weight_decay = 0;  // decoupled
  double momentum = 0.9;    // of momentum: what stays of the velocity from step to step
  double rho = 0.9;         // of rmsprop: what stays of the mean of squared gradients, from 0.01
  double beta1 = 0.9;       // of adam: what stays of the mean of gradients
  double beta2 = 0.999;     // of adam: what stays of the mean of squared gradients, from 0.01
  double epsilon = 1e-8;    // of rmsprop and adam: beside the root that they divide by
};

// InvalidArgument names the first value that makes no sense.
absl::Status Validate(const OptimizerOptions& options);

// base^t for t = 0, 1, ..., of few calls of pow(): each takes as long as a layer of a tiny net.
class Powers {
 public:
  explicit Powers(double base);

  // A function of t alone, whatever was asked for before: trainings that go on elsewhere depend on
  // it.
  double At(int64_t t);

 private:
  static constexpr int64_t kLow = 16;
  double base_;
  std::array<double, kLow> low_;  // of 0 .. kLow - 1
  int64_t block_ = 0;
  double high_ = 1;  // of kLow * block
};

// What the formulas need of a step. The same for floats and doubles, but that the betas are rounded
// to what the formulas will use.
template <class T>
class StepConstants {
 public:
  explicit StepConstants(const OptimizerOptions& options);

  // Of step `t` = 1, 2, ..., at a learning rate above 0. Valid until the next call.
  const kernels::UpdateStepOf<T>& At(int64_t t, double learning_rate);
  // The last one's.
  const kernels::UpdateStepOf<T>& last() const { return step_; }

 private:
  kernels::OptimizerKind kind_;
  double weight_decay_;
  double beta1_, beta2_;
  double log2_beta1_, log2_beta2_;
  Powers powers1_, powers2_;
  // Written where it is read: a copy of what was just stored in parts waits for all of them.
  kernels::UpdateStepOf<T> step_;
};

class Optimizer {
 public:
  // For `parameters` parameters; options must be valid.
  Optimizer(const OptimizerOptions& options, size_t parameters);

  const OptimizerOptions& options() const { return options_; }
  int64_t steps() const { return steps_; }

  // What it keeps from step to step: with steps(), all that it takes to go on elsewhere.
  size_t state_count() const { return kernels::States(options_.kind); }
  std::span<float> state(size_t k);  // [parameters]
  std::span<const float> state(size_t k) const;
  void set_steps(int64_t steps) { steps_ = steps; }

  // Of the steps that begin from here on, above 0; at first that of the options.
  void set_learning_rate(double rate) { learning_rate_ = rate; }
  double learning_rate() const { return learning_rate_; }

  // Begins the next step. The constants hold for all updates until the next call.
  void BeginStep();
  const kernels::UpdateStep& step() const { return constants_.last(); }

  // The stretch `range` of `parameters`, whose gradient is `gradient`, with the state that belongs
  // to it.
  kernels::UpdateSpans Spans(Range range, std::span<float> parameters,
                             std::span<const float> gradient);

  size_t bytes() const { return states_.size() * sizeof(float); }

 private:
  const OptimizerOptions options_;
  const size_t parameters_;
  StepConstants<float> constants_;
  int64_t steps_ = 0;
  double learning_rate_;
  AlignedBuffer<float> states_;  // [States(kind), parameters rounded up to a cache line]
};

}  // namespace mlp::optim
