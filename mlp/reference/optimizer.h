// Optimizers: one step from a flat gradient to flat parameters, both [parameters].
//
// Weight decay is decoupled (Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR
// 2019): it acts on the parameter itself and never enters the moments. Every parameter decays,
// biases too. The paper scales the decay by the schedule alone; here it is scaled by the learning
// rate, as frameworks do: theta loses learning_rate * weight_decay * theta.
#pragma once

#include <cstdint>
#include <vector>

namespace mlp::reference {

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Changes the parameters by one step against the gradient. An optimizer serves one vector of
  // parameters: the size must stay what it was at the first step.
  virtual void Step(const std::vector<double>& gradient, std::vector<double>& parameters) = 0;

  // alpha of the steps from here on; at first that of the options.
  virtual void set_learning_rate(double rate) = 0;
};

struct SgdOptions {
  double learning_rate = 1e-2;  // alpha
  double weight_decay = 0;      // lambda
};

// Stochastic gradient descent without momentum (Robbins & Monro, 1951):
//   theta <- theta - alpha (g + lambda theta)
class Sgd final : public Optimizer {
 public:
  explicit Sgd(const SgdOptions& options) : options_(options) {}
  void Step(const std::vector<double>& gradient, std::vector<double>& parameters) override;
  void set_learning_rate(double rate) override { options_.learning_rate = rate; }

 private:
  SgdOptions options_;
};

struct MomentumOptions {
  double learning_rate = 1e-2;  // alpha
  double momentum = 0.9;        // mu
  double weight_decay = 0;      // lambda
};

// Gradient descent with momentum (Polyak, "Some methods of speeding up the convergence of iteration
// methods", 1964, with the rate outside of the velocity). With u zero before the first step:
//   u <- mu u + g
//   theta <- theta - alpha (u + lambda theta)
class Momentum final : public Optimizer {
 public:
  explicit Momentum(const MomentumOptions& options) : options_(options) {}
  void Step(const std::vector<double>& gradient, std::vector<double>& parameters) override;
  void set_learning_rate(double rate) override { options_.learning_rate = rate; }

 private:
  MomentumOptions options_;
  std::vector<double> velocity_;  // u [parameters]
};

struct RmsPropOptions {
  double learning_rate = 1e-3;  // alpha
  double rho = 0.9;
  double epsilon = 1e-8;
  double weight_decay = 0;  // lambda
};

// RMSprop (Tieleman & Hinton, "Lecture 6.5 - rmsprop", 2012). With v zero before the first step:
//   v <- rho v + (1 - rho) g^2
//   theta <- theta - alpha (g / (sqrt(v) + epsilon) + lambda theta)
// Nothing corrects the start of v: the first steps are up to 1 / sqrt(1 - rho) times alpha.
class RmsProp final : public Optimizer {
 public:
  explicit RmsProp(const RmsPropOptions& options) : options_(options) {}
  void Step(const std::vector<double>& gradient, std::vector<double>& parameters) override;
  void set_learning_rate(double rate) override { options_.learning_rate = rate; }

 private:
  RmsPropOptions options_;
  std::vector<double> mean_square_;  // v [parameters]
};

struct AdamOptions {
  double learning_rate = 1e-3;  // alpha
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  // lambda
};

// Adam (Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1). At step
// t = 1, 2, ..., with m and v zero before the first:
//   m <- beta1 m + (1 - beta1) g             m^ = m / (1 - beta1^t)
//   v <- beta2 v + (1 - beta2) g^2           v^ = v / (1 - beta2^t)
//   theta <- theta - alpha (m^ / (sqrt(v^) + epsilon) + lambda theta)
// Epsilon stands outside the root and beside the corrected moment.
class Adam final : public Optimizer {
 public:
  explicit Adam(const AdamOptions& options) : options_(options) {}
  void Step(const std::vector<double>& gradient, std::vector<double>& parameters) override;
  void set_learning_rate(double rate) override { options_.learning_rate = rate; }

  int64_t steps() const { return steps_; }                                     // t
  const std::vector<double>& first_moment() const { return first_moment_; }    // m [parameters]
  const std::vector<double>& second_moment() const { return second_moment_; }  // v [parameters]

 private:
  AdamOptions options_;
  int64_t steps_ = 0;
  std::vector<double> first_moment_;
  std::vector<double> second_moment_;
};

// Scales the gradient to the norm max_norm > 0 if its Euclidean norm is greater (Pascanu, Mikolov &
// Bengio, "On the difficulty of training recurrent neural networks", ICML 2013, algorithm 1).
// Returns the norm before. A NaN in the gradient makes the norm NaN and leaves the gradient as it
// is.
double ClipGlobalNorm(double max_norm, std::vector<double>& gradient);

}  // namespace mlp::reference
