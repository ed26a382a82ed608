// The embedded digits are as hard as MNIST is: too hard for a linear model, not for the reference
// net.
#include <gtest/gtest.h>

#include "mlp/base/team.h"
#include "mlp/data/digits.h"
#include "mlp/train/testing.h"
#include "mlp/train/trainer.h"

namespace mlp::train {
namespace {

double AccuracyOf(const std::string& spec, const data::Dataset& dataset) {
  model::Model model(Spec(spec), 1);
  TrainOptions options;
  options.strategy.threads = EffectiveThreads(0);
  auto trainer = Trainer::Create(options, dataset, model);
  MLP_CHECK(trainer.ok());
  MLP_CHECK(trainer->Train().ok());
  return trainer->Test().accuracy;
}

TEST(DigitsAccuracyTest, SoftmaxRegressionAndTheReferenceNet) {
  const data::Dataset dataset = data::MakeDigits(1);
  const double linear = AccuracyOf("784-10", dataset);
  EXPECT_GE(linear, 0.88);
  EXPECT_LE(linear, 0.94);
  const double net = AccuracyOf("784-128-128-128-10", dataset);
  EXPECT_GE(net, 0.97);
  EXPECT_LE(net, 0.99);
}

}  // namespace
}  // namespace mlp::train
