// A model: its layers, and all their parameters in one flat vector.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/team.h"
#include "mlp/layers/layer.h"
#include "mlp/model/spec.h"

namespace mlp::model {

class Model {
 public:
  // All parameters are 0: for a model whose parameters come from elsewhere.
  explicit Model(const ModelSpec& spec);
  // Initialised from the seed; each layer has a stream of its own.
  Model(const ModelSpec& spec, uint64_t seed);

  const ModelSpec& spec() const { return spec_; }
  size_t inputs() const { return spec_.inputs; }
  size_t outputs() const { return spec_.outputs(); }

  size_t layer_count() const { return layers_.size(); }
  const layers::Layer& layer(size_t i) const { return *layers_[i]; }
  // Where layer i's parameters lie.
  Range layer_parameters(size_t i) const { return {offsets_[i], offsets_[i + 1]}; }

  std::span<float> parameters() { return parameters_.span(); }
  std::span<const float> parameters() const { return parameters_.span(); }

 private:
  ModelSpec spec_;
  std::vector<std::unique_ptr<layers::Layer>> layers_;
  std::vector<size_t> offsets_;  // [layer_count + 1]
  AlignedBuffer<float> parameters_;
};

}  // namespace mlp::model
