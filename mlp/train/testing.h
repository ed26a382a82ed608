// Small data and models for tests of training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mlp/base/check.h"
#include "mlp/base/rng.h"
#include "mlp/data/dataset.h"
#include "mlp/model/model.h"

namespace mlp::train {

// `size` samples of random pixels and labels.
inline data::Examples RandomExamples(size_t size, size_t features, size_t classes, uint32_t index) {
  Stream stream(1, Purpose::kTest, 0, index);
  data::Examples examples = {AlignedBuffer<uint8_t>(size * features), AlignedBuffer<uint8_t>(size),
                             size, features};
  for (uint8_t& pixel : examples.pixels) pixel = static_cast<uint8_t>(stream.Below(256));
  for (uint8_t& label : examples.labels) {
    label = static_cast<uint8_t>(stream.Below(static_cast<uint32_t>(classes)));
  }
  return examples;
}

inline data::Dataset RandomDataset(size_t train, size_t test, size_t features, size_t classes) {
  return {"random",
          1,
          features,
          classes,
          RandomExamples(train, features, classes, 0),
          RandomExamples(test, features, classes, 1),
          ""};
}

inline model::ModelSpec Spec(const std::string& text) {
  const auto spec = model::ParseModelSpec(text);
  MLP_CHECK(spec.ok());
  return *spec;
}

inline std::vector<float> ParametersOf(const model::Model& model) {
  return {model.parameters().begin(), model.parameters().end()};
}

}  // namespace mlp::train
