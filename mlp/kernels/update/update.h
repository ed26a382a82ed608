// Optimizer updates: from a gradient to new parameters, over flat arrays.
#pragma once

#include <array>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/kernels/context.h"

namespace mlp::kernels {

enum class OptimizerKind {
#define MLP_OPTIMIZER(functor, name) k##functor,
#include "mlp/kernels/update/optimizers.inc"
#undef MLP_OPTIMIZER
};

inline constexpr std::array kOptimizerKinds = {
#define MLP_OPTIMIZER(functor, name) OptimizerKind::k##functor,
#include "mlp/kernels/update/optimizers.inc"
#undef MLP_OPTIMIZER
};

absl::string_view Name(OptimizerKind kind);
absl::StatusOr<OptimizerKind> ParseOptimizerKind(absl::string_view name);

// How many arrays of state it keeps beside the parameters; at most kMaxStates.
size_t States(OptimizerKind kind);
inline constexpr size_t kMaxStates = 2;

// What one parameter costs in a step: operations, and bytes read and written (parameter and states,
// and the gradient, which is read).
double FlopsPerParameter(OptimizerKind kind);
double BytesPerParameter(OptimizerKind kind);

// What is the same for all parameters in one step; see optimizer_math.h for the formulas.
template <class T>
struct UpdateStepOf {
  T rate = 0;        // learning rate, bias-corrected where the optimizer does that
  T keep = 1;        // 1 - learning rate * weight decay
  T beta1 = 0;       // what stays of the first moment, or of the velocity
  T beta2 = 0;       // what stays of the second moment
  T root_scale = 1;  // 1 / sqrt(1 - beta2^t) where the optimizer corrects its bias
  T epsilon = 0;
};
using UpdateStep = UpdateStepOf<float>;

// A stretch of the flat parameter vector with all that belongs to it. All of the same length;
// states beyond States(kind) are empty.
struct UpdateSpans {
  std::span<float> parameters;
  std::span<const float> gradient;
  std::array<std::span<float>, kMaxStates> states;
};

// Workers split the elements.
void Update(const Context& context, OptimizerKind kind, const UpdateStep& step,
            const UpdateSpans& spans);

// The same by this worker alone.
void UpdateBlock(const Context& context, OptimizerKind kind, const UpdateStep& step,
                 const UpdateSpans& spans);

}  // namespace mlp::kernels
