// The optimizers of mlp/optim on the flat parameters of a tape, in single or double precision.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "mlp/kernels/kernels.h"
#include "mlp/kernels/update/update.h"
#include "mlp/kernels/update/update_double.h"
#include "mlp/optim/optimizer.h"

namespace mlp::autograd {

template <class S>
class FlatOptimizer;

template <>
class FlatOptimizer<float> {
 public:
  FlatOptimizer(const optim::OptimizerOptions& options, size_t parameters)
      : optimizer_(options, parameters),
        context_(kernels::SoloContext({}, kernels::MathMode::kExact)) {}

  void set_learning_rate(double rate) { optimizer_.set_learning_rate(rate); }

  void Step(std::span<float> parameters, std::span<const float> gradient) {
    optimizer_.BeginStep();
    kernels::UpdateBlock(context_, optimizer_.options().kind, optimizer_.step(),
                         optimizer_.Spans({0, parameters.size()}, parameters, gradient));
  }

 private:
  optim::Optimizer optimizer_;
  kernels::Context context_;
};

template <>
class FlatOptimizer<double> {
 public:
  FlatOptimizer(const optim::OptimizerOptions& options, size_t parameters)
      : kind_(options.kind), constants_(options), learning_rate_(options.learning_rate) {
    for (size_t k = 0; k < kernels::States(kind_); ++k) states_[k].resize(parameters);
  }

  void set_learning_rate(double rate) { learning_rate_ = rate; }

  void Step(std::span<double> parameters, std::span<const double> gradient) {
    kernels::UpdateDouble(kind_, constants_.At(++steps_, learning_rate_), parameters, gradient,
                          {states_[0], states_[1]});
  }

 private:
  const kernels::OptimizerKind kind_;
  optim::StepConstants<double> constants_;
  double learning_rate_;
  int64_t steps_ = 0;
  std::array<std::vector<double>, kernels::kMaxStates> states_;
};

}  // namespace mlp::autograd
