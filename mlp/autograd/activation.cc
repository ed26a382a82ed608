#include "mlp/autograd/activation.h"

#include "mlp/base/names.h"

namespace mlp::autograd {

absl::string_view Name(Activation activation) {
  switch (activation.kind()) {
#define MLP_ACTIVATION(functor, name) \
  case Activation::k##functor:        \
    return name;
#include "mlp/autograd/activations.inc"
#undef MLP_ACTIVATION
  }
  __builtin_unreachable();
}

absl::StatusOr<Activation> ParseActivation(absl::string_view name) {
  return ParseName("activation", kActivations, name);
}

}  // namespace mlp::autograd
