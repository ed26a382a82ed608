// What a model's outputs are measured by, and what they say.
//
// A sample's label is a class. With one output it is that output's target, 0 or 1; with several,
// the target of the label's own output is 1 and that of the others 0. The losses that look at one
// output at a time take the mean over a sample's outputs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/kernels/context.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {

enum class LossKind {
#define MLP_LOSS(kind, name, output) k##kind,
#include "mlp/kernels/loss/losses.inc"
#undef MLP_LOSS
};

inline constexpr std::array kLossKinds = {
#define MLP_LOSS(kind, name, output) LossKind::k##kind,
#include "mlp/kernels/loss/losses.inc"
#undef MLP_LOSS
};

absl::string_view Name(LossKind kind);
absl::StatusOr<LossKind> ParseLossKind(absl::string_view name);
// "softmax", "sigmoid", "linear".
absl::string_view OutputName(LossKind kind);

// Of so many outputs where nobody says: softmax of a single one would be 1 whatever it is.
constexpr LossKind DefaultLoss(size_t outputs) {
  return outputs == 1 ? LossKind::kBinaryCrossEntropy : LossKind::kSoftmaxCrossEntropy;
}

// How many classes so many outputs can tell apart.
constexpr size_t ClassCount(LossKind kind, size_t outputs) {
  return outputs == 1 && kind != LossKind::kSoftmaxCrossEntropy ? 2 : outputs;
}

// For each row i: losses[i], hits[i] = whether its class is labels[i], and in the same pass
// gradient[i, :] = scale * the loss's derivative with respect to outputs[i, :].
// outputs, gradient: [m, n], maybe the same; labels, losses, hits: [m]. Workers split the rows.
void Loss(const Context& context, LossKind kind, ConstMatrix outputs,
          std::span<const uint8_t> labels, float scale, std::span<float> losses,
          std::span<uint8_t> hits, Matrix gradient);

// What the outputs make of each class: its probability, where the loss gives the outputs that
// meaning. outputs: [m, n], p: [m, ClassCount]. Workers split the rows.
void Probabilities(const Context& context, LossKind kind, ConstMatrix outputs, Matrix p);

// The class that each row stands for: of the largest output, the first of equals.
// outputs: [m, n], classes: [m]. Workers split the rows.
void Classify(const Context& context, LossKind kind, ConstMatrix outputs,
              std::span<uint32_t> classes);

}  // namespace mlp::kernels
