// Elementwise activation functions and their gradients.
#pragma once

#include <array>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/kernels/context.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

enum class Activation {
#define MLP_ACTIVATION(functor, name) k##functor,
#include "mlp/kernels/elementwise/activations.inc"
#undef MLP_ACTIVATION
};

inline constexpr std::array kActivations = {
#define MLP_ACTIVATION(functor, name) Activation::k##functor,
#include "mlp/kernels/elementwise/activations.inc"
#undef MLP_ACTIVATION
};

absl::string_view Name(Activation activation);
absl::StatusOr<Activation> ParseActivation(absl::string_view name);

// Whether f'(x) follows from y = f(x) alone, so that x need not be kept for the backward pass.
bool SlopeFromOutput(Activation activation);

// y = f(x). All [m, n]; y may be x. Workers split the rows.
void Activate(const Context& context, Activation activation, ConstMatrix x, Matrix y);

// The same by this worker alone.
void ActivateBlock(const Context& context, Activation activation, ConstMatrix x, Matrix y);

// dx = f'(x) * dy, where y = f(x). All [m, n]; dx may be dy. x is not read where SlopeFromOutput.
// Workers split the rows.
void ActivateBackward(const Context& context, Activation activation, ConstMatrix x, ConstMatrix y,
                      ConstMatrix dy, Matrix dx);

}  // namespace mlp::kernels
