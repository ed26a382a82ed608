// The reference against other people's software: numbers that PyTorch and mpmath computed, written
// down by testdata/make_reference_data.py.
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mlp/base/check.h"
#include "mlp/reference/activation.h"
#include "mlp/reference/gradient_check.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"
#include "mlp/reference/softmax.h"

namespace mlp::reference {
namespace {

using Json = nlohmann::json;

// A few roundings of double.
constexpr double kTolerance = 1e-14;

Json ReadTestdata(const std::string& name) {
  std::ifstream file("mlp/reference/testdata/" + name);
  MLP_CHECK(file.is_open());
  Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  MLP_CHECK(!json.is_discarded());
  return json;
}

std::vector<double> Numbers(const Json& json) { return json.get<std::vector<double>>(); }

std::unique_ptr<Optimizer> MakeOptimizer(const Json& training) {
  const Json& options = training["options"];
  if (training["optimizer"] == "sgd") {
    return std::make_unique<Sgd>(SgdOptions{.learning_rate = options["learning_rate"],
                                            .weight_decay = options["weight_decay"]});
  }
  if (training["optimizer"] == "momentum") {
    return std::make_unique<Momentum>(MomentumOptions{.learning_rate = options["learning_rate"],
                                                      .momentum = options["momentum"],
                                                      .weight_decay = options["weight_decay"]});
  }
  if (training["optimizer"] == "rmsprop") {
    return std::make_unique<RmsProp>(RmsPropOptions{.learning_rate = options["learning_rate"],
                                                    .rho = options["rho"],
                                                    .epsilon = options["epsilon"],
                                                    .weight_decay = options["weight_decay"]});
  }
  return std::make_unique<Adam>(AdamOptions{.learning_rate = options["learning_rate"],
                                            .beta1 = options["beta1"],
                                            .beta2 = options["beta2"],
                                            .epsilon = options["epsilon"],
                                            .weight_decay = options["weight_decay"]});
}

TEST(PyTorchTest, SameLogitsLossGradientAndSteps) {
  const Json trainings = ReadTestdata("pytorch.json");
  ASSERT_EQ(trainings.size(), 6u);
  for (const Json& training : trainings) {
    SCOPED_TRACE(training["activations"].dump() + training["optimizer"].dump());
    std::vector<Activation> activations;
    for (const std::string name : training["activations"]) {
      activations.push_back(ActivationByName(name).value());
    }
    const std::vector<int> labels = training["labels"];
    const std::vector<size_t> widths = training["widths"];
    const Matrix x(labels.size(), widths.front(), Numbers(training["x"]));
    Mlp mlp(widths, activations, Numbers(training["parameters"]));
    EXPECT_TRUE(IsClose(mlp.Forward(x).data, Numbers(training["logits"]), kTolerance, 1));

    const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(training);
    ASSERT_EQ(training["steps"].size(), 4u);
    for (const Json& step : training["steps"]) {
      std::vector<double> gradient = mlp.Gradient(x, labels);
      EXPECT_TRUE(IsClose(gradient, Numbers(step["gradient"]), kTolerance, 1));
      EXPECT_NEAR(ClipGlobalNorm(1, gradient), step["gradient_norm"], kTolerance);
      EXPECT_NEAR(mlp.Step(x, labels, *optimizer, training["clip_norm"]), step["loss"], kTolerance);
      EXPECT_TRUE(IsClose(mlp.parameters(), Numbers(step["parameters_after"]), kTolerance, 1));
    }
  }
}

TEST(MpmathTest, SameActivationsAndDerivatives) {
  const Json data = ReadTestdata("mpmath.json");
  ASSERT_EQ(data["activations"].size(), kActivations.size());
  const std::vector<double> points = Numbers(data["points"]);
  for (const Activation activation : kActivations) {
    const std::string name(Name(activation));
    SCOPED_TRACE(name);
    std::vector<double> values, derivatives;
    for (const double x : points) {
      values.push_back(Activate(activation, x));
      derivatives.push_back(Derivative(activation, x));
    }
    // Relative all the way down to the smallest normal numbers.
    const Json& table = data["activations"][name];
    EXPECT_TRUE(IsClose(values, Numbers(table["values"]), kTolerance, 1e-300));
    EXPECT_TRUE(IsClose(derivatives, Numbers(table["derivatives"]), kTolerance, 1e-300));
  }
}

TEST(MpmathTest, SameSoftmax) {
  const Json data = ReadTestdata("mpmath.json");
  ASSERT_FALSE(data["logits"].empty());
  for (size_t i = 0; i < data["logits"].size(); ++i) {
    SCOPED_TRACE(data["logits"][i].dump());
    const std::vector<double> row = Numbers(data["logits"][i]);
    const Matrix logits(1, row.size(), row);
    // The log of a probability near 1 is right to a rounding of 1, not of itself.
    EXPECT_TRUE(IsClose(LogSoftmax(logits).data, Numbers(data["log_softmax"][i]), kTolerance, 1));
    EXPECT_TRUE(IsClose(Softmax(logits).data, Numbers(data["softmax"][i]), kTolerance, 1e-300));
  }
}

}  // namespace
}  // namespace mlp::reference
