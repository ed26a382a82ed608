#include "mlp/reference/activation.h"

#include <cmath>
#include <numbers>

#include "mlp/base/check.h"

namespace mlp::reference {
namespace {

constexpr double kLeakySlope = 0.01;

// e^x only where it cannot overflow.
double Sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  return std::exp(x) / (1 + std::exp(x));
}

// s' = s (1 - s), and 1 - s(x) = s(-x), which keeps its digits where s(x) is nearly 1.
double SigmoidDerivative(double x) { return Sigmoid(x) * Sigmoid(-x); }

// tanh' = 1 - tanh^2 = 1 / cosh^2, for the same reason.
double TanhDerivative(double x) {
  const double sech = 1 / std::cosh(x);
  return sech * sech;
}

// At -inf the product would be -inf * 0 = NaN; the limit is 0.
double Silu(double x) { return std::isinf(x) && x < 0 ? 0 : x * Sigmoid(x); }

// (x s)' = s + x s (1 - s).
double SiluDerivative(double x) {
  if (std::isinf(x)) return x > 0 ? 1 : 0;
  return Sigmoid(x) + x * SigmoidDerivative(x);
}

// P(x) by erfc, which keeps its digits where P is nearly 0.
double NormalDistribution(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }
double NormalDensity(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }

// As for silu.
double Gelu(double x) { return std::isinf(x) && x < 0 ? 0 : x * NormalDistribution(x); }

// (x P)' = P + x P'.
double GeluDerivative(double x) {
  if (std::isinf(x)) return x > 0 ? 1 : 0;
  return NormalDistribution(x) + x * NormalDensity(x);
}

// log(1 + e^x) = x + log(1 + e^-x): the power that cannot overflow.
double Softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

}  // namespace

absl::string_view Name(Activation activation) {
  switch (activation) {
    case Activation::kIdentity:
      return "identity";
    case Activation::kRelu:
      return "relu";
    case Activation::kLeakyRelu:
      return "leaky_relu";
    case Activation::kSigmoid:
      return "sigmoid";
    case Activation::kTanh:
      return "tanh";
    case Activation::kSilu:
      return "silu";
    case Activation::kElu:
      return "elu";
    case Activation::kGelu:
      return "gelu";
    case Activation::kSoftplus:
      return "softplus";
  }
  MLP_CHECK(false);
}

std::optional<Activation> ActivationByName(absl::string_view name) {
  for (const Activation activation : kActivations) {
    if (Name(activation) == name) return activation;
  }
  return std::nullopt;
}

double Activate(Activation activation, double x) {
  if (std::isnan(x)) return x;
  switch (activation) {
    case Activation::kIdentity:
      return x;
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kLeakyRelu:
      return x > 0 ? x : kLeakySlope * x;
    case Activation::kSigmoid:
      return Sigmoid(x);
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSilu:
      return Silu(x);
    case Activation::kElu:
      return x > 0 ? x : std::expm1(x);
    case Activation::kGelu:
      return Gelu(x);
    case Activation::kSoftplus:
      return Softplus(x);
  }
  MLP_CHECK(false);
}

double Derivative(Activation activation, double x) {
  if (std::isnan(x)) return x;
  switch (activation) {
    case Activation::kIdentity:
      return 1;
    case Activation::kRelu:
      return x > 0 ? 1 : 0;
    case Activation::kLeakyRelu:
      return x > 0 ? 1 : kLeakySlope;
    case Activation::kSigmoid:
      return SigmoidDerivative(x);
    case Activation::kTanh:
      return TanhDerivative(x);
    case Activation::kSilu:
      return SiluDerivative(x);
    case Activation::kElu:
      return x > 0 ? 1 : std::exp(x);
    case Activation::kGelu:
      return GeluDerivative(x);
    case Activation::kSoftplus:
      return Sigmoid(x);
  }
  MLP_CHECK(false);
}

}  // namespace mlp::reference
