// A model's parameters: how many, where, and what they start from.
#include "mlp/model/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "mlp/model/spec.h"

namespace mlp::model {
namespace {

Model Make(const char* text, uint64_t seed = 1) { return Model(*ParseModelSpec(text), seed); }

std::vector<float> LayerParameters(const Model& model, size_t i) {
  const Range range = model.layer_parameters(i);
  const auto all = model.parameters();
  return {all.begin() + static_cast<ptrdiff_t>(range.begin),
          all.begin() + static_cast<ptrdiff_t>(range.end)};
}

TEST(ModelTest, CountsParameters) {
  const Model model = Make("784-128-128-128-10");
  EXPECT_EQ(model.parameters().size(), 134'794u);
  EXPECT_EQ(model.inputs(), 784u);
  EXPECT_EQ(model.outputs(), 10u);
}

TEST(ModelTest, LayersLieOneAfterTheOther) {
  const Model model = Make("7-5-tanh-4-3");
  ASSERT_EQ(model.layer_count(), 3u);
  size_t end = 0, inputs = model.inputs();
  for (size_t i = 0; i < model.layer_count(); ++i) {
    EXPECT_EQ(model.layer(i).inputs(), inputs);
    EXPECT_EQ(model.layer(i).outputs(), model.spec().layers[i].units);
    EXPECT_EQ(model.layer_parameters(i).begin, end);
    EXPECT_EQ(model.layer_parameters(i).size(), (inputs + 1) * model.layer(i).outputs());
    end = model.layer_parameters(i).end;
    inputs = model.layer(i).outputs();
  }
  EXPECT_EQ(model.parameters().size(), end);
  EXPECT_EQ(inputs, model.outputs());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(model.parameters().data()) % 64, 0u);
}

TEST(ModelTest, StartsWithTheVarianceOfTheFan) {
  const Model model = Make("784-256-256-tanh-200");
  // 2 / inputs before relu, 2 / (inputs + outputs) before tanh and logits.
  const double variances[] = {2.0 / 784, 2.0 / 512, 2.0 / 456};
  for (size_t i = 0; i < model.layer_count(); ++i) {
    const std::vector<float> parameters = LayerParameters(model, i);
    const size_t weights = model.layer(i).multiply_adds();
    double squares = 0;
    for (size_t k = 0; k < weights; ++k) squares += double{parameters[k]} * parameters[k];
    const double n = static_cast<double>(weights);
    EXPECT_NEAR(squares / n, variances[i], 5 * variances[i] * std::sqrt(2 / n)) << "layer " << i;
    for (size_t k = weights; k < parameters.size(); ++k) EXPECT_EQ(parameters[k], 0);
  }
}

TEST(ModelTest, TheSeedDecides) {
  const auto parameters = [](const char* text, uint64_t seed) {
    const Model model = Make(text, seed);
    return std::vector<float>(model.parameters().begin(), model.parameters().end());
  };
  EXPECT_EQ(parameters("20-10-5", 3), parameters("20-10-5", 3));
  EXPECT_NE(parameters("20-10-5", 3), parameters("20-10-5", 4));
  // All 64 bits of it.
  EXPECT_NE(parameters("20-10-5", 3), parameters("20-10-5", 3 + (uint64_t{1} << 40)));
}

TEST(ModelTest, LayersHaveStreamsOfTheirOwn) {
  // Layers of one shape start apart.
  const Model model = Make("6-6-6-6");
  EXPECT_NE(LayerParameters(model, 0), LayerParameters(model, 1));
  // What comes before a layer does not change how it starts.
  EXPECT_EQ(LayerParameters(Make("8-6-5"), 1), LayerParameters(Make("99-6-5"), 1));
  EXPECT_EQ(LayerParameters(Make("8-6-5-4"), 0), LayerParameters(Make("8-6-7-7"), 0));
}

}  // namespace
}  // namespace mlp::model
