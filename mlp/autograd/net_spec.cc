#include "mlp/autograd/net_spec.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mlp/autograd/expect.h"
#include "mlp/base/status_macros.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/model/spec.h"

namespace mlp::autograd {

void ExpectWidths(size_t count) {
  if (count >= 2) return;
  internal::Refuse("a net: expected the widths of its inputs and outputs, found " +
                   std::to_string(count) + "; e.g. {784, 16, 10}");
}

NetSpec MakeNetSpec(std::vector<size_t> widths, Activation activation) {
  ExpectWidths(widths.size());
  std::vector<Activation> activations(widths.size() - 2, activation);
  return {std::move(widths), std::move(activations)};
}

absl::StatusOr<NetSpec> ParseNetSpec(absl::string_view text) {
  NetSpec spec;
  // The syntax is that of vectorised models, whatever the activations.
  const auto parse = [&](size_t layer,
                         absl::string_view name) -> absl::StatusOr<kernels::Activation> {
    MLP_ASSIGN_OR_RETURN(const Activation activation, ParseActivation(name));
    spec.activations.resize(layer, Activation::kRelu);
    spec.activations.push_back(activation);
    return kernels::Activation::kRelu;
  };
  MLP_ASSIGN_OR_RETURN(const model::ModelSpec model, model::ParseModelSpec(text, parse));
  if (model.loss != kernels::LossKind::kSoftmaxCrossEntropy) {
    return absl::InvalidArgumentError(
        absl::StrCat("model \"", text,
                     "\": expected softmax, the loss of nets of values, at the "
                     "end, found ",
                     kernels::OutputName(model.loss), "; say softmax after the last width"));
  }
  spec.widths = {model.inputs};
  for (const model::DenseSpec& layer : model.layers) spec.widths.push_back(layer.units);
  spec.activations.resize(model.layers.size() - 1, Activation::kRelu);
  return spec;
}

std::string Format(const NetSpec& spec) {
  std::string text = absl::StrCat(spec.widths.front());
  for (size_t i = 1; i < spec.widths.size(); ++i) {
    absl::StrAppend(&text, "-", spec.widths[i]);
    if (i < spec.widths.size() - 1 && spec.activations[i - 1] != Activation::kRelu) {
      absl::StrAppend(&text, "-", Name(spec.activations[i - 1]));
    }
  }
  const auto softmax = kernels::LossKind::kSoftmaxCrossEntropy;
  if (kernels::DefaultLoss(spec.widths.back()) != softmax) {
    absl::StrAppend(&text, "-", kernels::OutputName(softmax));
  }
  return text;
}

}  // namespace mlp::autograd
