// What a model is made of, as text and as a struct.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/loss/loss.h"

namespace mlp::model {

struct DenseSpec {
  size_t units = 0;
  kernels::Activation activation = kernels::Activation::kIdentity;
  bool operator==(const DenseSpec&) const = default;
};

// 2^30 parameters are 4 GiB, and as much again for each state of the optimizer.
inline constexpr size_t kMaxParameters = size_t{1} << 30;

// A stack of dense layers whose outputs a loss gives their meaning.
struct ModelSpec {
  size_t inputs = 0;
  std::vector<DenseSpec> layers;
  kernels::LossKind loss = kernels::LossKind::kSoftmaxCrossEntropy;
  bool operator==(const ModelSpec&) const = default;

  size_t outputs() const { return layers.back().units; }
  // What they tell apart.
  size_t classes() const { return kernels::ClassCount(loss, outputs()); }
  size_t parameter_count() const;
};

// Widths from the input to the output, each but the first optionally followed by an activation, the
// last by what the loss makes of the outputs: softmax (cross-entropy), sigmoid (binary
// cross-entropy) or linear (mean squared error):
//   784-128-128-128-10            relu between, softmax last
//   784-128-tanh-64-silu-10
//   2-8-8-1                       sigmoid last: a single output
//   [784, 128, 'tanh', 10, 'softmax']   the same as a list
// InvalidArgument names the place and what may stand there.
absl::StatusOr<ModelSpec> ParseModelSpec(absl::string_view text);

// The same where activations have other names: what stands after hidden layer `layer`, from 0, is
// what `parse` says. For nets that are not made of these layers.
using ParseHidden =
    std::function<absl::StatusOr<kernels::Activation>(size_t layer, absl::string_view name)>;
absl::StatusOr<ModelSpec> ParseModelSpec(absl::string_view text, const ParseHidden& parse);

// The shortest text that ParseModelSpec reads back as the same spec.
std::string Format(const ModelSpec& spec);

}  // namespace mlp::model
