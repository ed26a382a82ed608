#include "mlp/model/textbook.h"

#include <utility>
#include <vector>

#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/reference/activation.h"
#include "mlp/reference/loss.h"

namespace mlp::model {

reference::Mlp Textbook(const ModelSpec& spec, std::span<const float> parameters) {
  std::vector<size_t> widths = {spec.inputs};
  std::vector<reference::Activation> activations;
  for (const DenseSpec& layer : spec.layers) {
    widths.push_back(layer.units);
    activations.push_back(reference::ActivationByName(kernels::Name(layer.activation)).value());
  }
  return {std::move(widths),
          std::move(activations),
          {parameters.begin(), parameters.end()},
          reference::LossByName(kernels::Name(spec.loss)).value()};
}

}  // namespace mlp::model
