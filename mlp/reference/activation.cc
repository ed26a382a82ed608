#include "mlp/reference/activation.h"

#include <cmath>

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
  }
  MLP_CHECK(false);
}

}  // namespace mlp::reference
