// Activation functions of one number, and their derivatives.
//
//   identity    f(x) = x
//   relu        f(x) = max(0, x)                          Nair & Hinton, ICML 2010
//   leaky_relu  f(x) = x where x > 0, else 0.01 x         Maas, Hannun & Ng, ICML 2013
//   sigmoid     f(x) = 1 / (1 + e^-x) = s(x)
//   tanh        f(x) = tanh x
//   silu        f(x) = x s(x)                             Elfwing, Uchibe & Doya, 2018
//   elu         f(x) = x where x > 0, else e^x - 1        Clevert, Unterthiner & Hochreiter, 2016
//   gelu        f(x) = x P(x), P the normal distribution  Hendrycks & Gimpel, 2016
//   softplus    f(x) = log(1 + e^x)                       Dugas et al., NIPS 2000
//
// All hold for any x: nothing overflows, infinities give the limits, NaN gives NaN.
#pragma once

#include <array>
#include <optional>

#include "absl/strings/string_view.h"

namespace mlp::reference {

enum class Activation {
  kIdentity,
  kRelu,
  kLeakyRelu,
  kSigmoid,
  kTanh,
  kSilu,
  kElu,
  kGelu,
  kSoftplus
};

inline constexpr std::array kActivations = {
    Activation::kIdentity, Activation::kRelu, Activation::kLeakyRelu,
    Activation::kSigmoid,  Activation::kTanh, Activation::kSilu,
    Activation::kElu,      Activation::kGelu, Activation::kSoftplus};

// As in the table above.
absl::string_view Name(Activation activation);

// The activation of that name, if there is one.
std::optional<Activation> ActivationByName(absl::string_view name);

// f(x).
double Activate(Activation activation, double x);

// f'(x). At 0, where relu and leaky_relu have none, it is that of the negative side: 0 and 0.01.
double Derivative(Activation activation, double x);

}  // namespace mlp::reference
