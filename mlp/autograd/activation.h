// Activations of nets of values, by name: those of vectorised nets, and some that only these nets
// have. For any other function of values see ValueMlp::Forward.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/autograd/value.h"
#include "mlp/kernels/elementwise/activation.h"

namespace mlp::autograd {

class Activation {
 public:
  enum Kind : uint8_t {
#define MLP_ACTIVATION(functor, name) k##functor,
#include "mlp/autograd/activations.inc"
#undef MLP_ACTIVATION
  };

  constexpr Activation(Kind kind) : kind_(kind) {}      // NOLINT: a kind is one
  constexpr Activation(kernels::Activation activation)  // NOLINT: so is a vectorised net's
      : kind_(static_cast<Kind>(activation)) {}
  constexpr Kind kind() const { return kind_; }
  // The same of vectorised nets, if they have it.
  constexpr std::optional<kernels::Activation> vectorised() const {
    if (kind_ >= kernels::kActivations.size()) return std::nullopt;
    return static_cast<kernels::Activation>(kind_);
  }
  friend constexpr bool operator==(Activation a, Activation b) { return a.kind_ == b.kind_; }

 private:
  Kind kind_;
};

inline constexpr std::array kActivations = {
#define MLP_ACTIVATION(functor, name) Activation(Activation::k##functor),
#include "mlp/autograd/activations.inc"
#undef MLP_ACTIVATION
};

absl::string_view Name(Activation activation);
// InvalidArgument lists all names.
absl::StatusOr<Activation> ParseActivation(absl::string_view name);

// f(x). The identity records nothing.
template <class T>
Value<T> Activate(Activation activation, Value<T>&& x) {
  switch (activation.kind()) {
    case Activation::kIdentity:
      return std::move(x);
    case Activation::kRelu:
      return relu(x);
    case Activation::kLeakyRelu:
      return leaky_relu(x);
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kTanh:
      return tanh(x);
    case Activation::kSilu:
      return silu(x);
    case Activation::kElu:
      return elu(x);
    case Activation::kGelu:
      return gelu(x);
    case Activation::kSoftplus:
      return softplus(x);
  }
  __builtin_unreachable();
}

}  // namespace mlp::autograd
