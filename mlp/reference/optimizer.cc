#include "mlp/reference/optimizer.h"

#include <cmath>

#include "mlp/base/check.h"

namespace mlp::reference {

void Sgd::Step(const std::vector<double>& gradient, std::vector<double>& parameters) {
  MLP_CHECK_EQ(gradient.size(), parameters.size());
  const auto& [alpha, lambda] = options_;
  for (size_t i = 0; i < parameters.size(); ++i) {
    double& theta = parameters[i];
    theta -= alpha * (gradient[i] + lambda * theta);
  }
}

void Momentum::Step(const std::vector<double>& gradient, std::vector<double>& parameters) {
  MLP_CHECK_EQ(gradient.size(), parameters.size());
  if (velocity_.empty()) velocity_.assign(parameters.size(), 0);
  MLP_CHECK_EQ(velocity_.size(), parameters.size());
  const auto& [alpha, mu, lambda] = options_;
  for (size_t i = 0; i < parameters.size(); ++i) {
    double& theta = parameters[i];
    double& u = velocity_[i];
    u = mu * u + gradient[i];
    theta -= alpha * (u + lambda * theta);
  }
}

void RmsProp::Step(const std::vector<double>& gradient, std::vector<double>& parameters) {
  MLP_CHECK_EQ(gradient.size(), parameters.size());
  if (mean_square_.empty()) mean_square_.assign(parameters.size(), 0);
  MLP_CHECK_EQ(mean_square_.size(), parameters.size());
  const auto& [alpha, rho, epsilon, lambda] = options_;
  for (size_t i = 0; i < parameters.size(); ++i) {
    double& theta = parameters[i];
    double& v = mean_square_[i];
    const double g = gradient[i];
    v = rho * v + (1 - rho) * g * g;
    theta -= alpha * (g / (std::sqrt(v) + epsilon) + lambda * theta);
  }
}

void Adam::Step(const std::vector<double>& gradient, std::vector<double>& parameters) {
  MLP_CHECK_EQ(gradient.size(), parameters.size());
  if (steps_ == 0) {
    first_moment_.assign(parameters.size(), 0);
    second_moment_.assign(parameters.size(), 0);
  }
  MLP_CHECK_EQ(first_moment_.size(), parameters.size());
  ++steps_;
  const auto& [alpha, beta1, beta2, epsilon, lambda] = options_;
  const double correction1 = 1 - std::pow(beta1, steps_);
  const double correction2 = 1 - std::pow(beta2, steps_);
  for (size_t i = 0; i < parameters.size(); ++i) {
    double& theta = parameters[i];
    double& m = first_moment_[i];
    double& v = second_moment_[i];
    const double g = gradient[i];
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const double m_hat = m / correction1;
    const double v_hat = v / correction2;
    theta -= alpha * (m_hat / (std::sqrt(v_hat) + epsilon) + lambda * theta);
  }
}

double ClipGlobalNorm(double max_norm, std::vector<double>& gradient) {
  MLP_CHECK_GT(max_norm, 0);
  double sum_of_squares = 0;
  for (const double g : gradient) sum_of_squares += g * g;
  const double norm = std::sqrt(sum_of_squares);
  if (norm > max_norm) {
    for (double& g : gradient) g *= max_norm / norm;
  }
  return norm;
}

}  // namespace mlp::reference
