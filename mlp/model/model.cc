#include "mlp/model/model.h"

#include "mlp/base/rng.h"
#include "mlp/layers/dense.h"

namespace mlp::model {

Model::Model(const ModelSpec& spec) : spec_(spec), offsets_{0} {
  size_t inputs = spec.inputs;
  for (const DenseSpec& layer : spec.layers) {
    layers_.push_back(std::make_unique<layers::Dense>(inputs, layer.units, layer.activation));
    offsets_.push_back(offsets_.back() + layers_.back()->parameter_count());
    inputs = layer.units;
  }
  parameters_ = AlignedBuffer<float>(offsets_.back());
}

Model::Model(const ModelSpec& spec, uint64_t seed) : Model(spec) {
  for (size_t i = 0; i < layers_.size(); ++i) {
    Stream stream(seed, Purpose::kInitialization, 0, static_cast<uint32_t>(i));
    const Range range = layer_parameters(i);
    layers_[i]->Initialize(stream, parameters().subspan(range.begin, range.size()));
  }
}

}  // namespace mlp::model
