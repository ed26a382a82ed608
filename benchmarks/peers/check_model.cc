#include "benchmarks/peers/check_model.h"

#include "absl/strings/str_cat.h"

namespace mlp::peers {

absl::Status CheckModel(const model::ModelSpec& spec, const data::Dataset& dataset) {
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const bool last = i + 1 == spec.layers.size();
    const auto expected = last ? kernels::Activation::kIdentity : kernels::Activation::kRelu;
    if (spec.layers[i].activation == expected) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("model: expected relu between layers, as peers know no other activation, "
                     "found ",
                     model::Format(spec)));
  }
  const size_t features = dataset.train.features;
  if (spec.inputs == features && spec.outputs() >= dataset.classes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("model: expected ", features, "-...-",
                                                 dataset.classes, " for ", dataset.name, ", found ",
                                                 model::Format(spec)));
}

}  // namespace mlp::peers
