// Nets of values take the reference's steps.
#include "experiments/value_mlp_reference.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "mlp/base/rng.h"

namespace mlp::experiments {
namespace {

constexpr size_t kSamples = 40;
constexpr size_t kFeatures = 6;

data::Examples MakeExamples() {
  data::Examples examples;
  examples.size = kSamples;
  examples.features = kFeatures;
  examples.values = AlignedBuffer<float>(kSamples * kFeatures);
  examples.labels = AlignedBuffer<uint8_t>(kSamples);
  Stream stream(1, Purpose::kTest);
  for (float& number : examples.values) number = stream.Uniform(-1, 1);
  for (uint8_t& label : examples.labels) label = static_cast<uint8_t>(stream.Below(3));
  return examples;
}

autograd::TrainingOptions Options(kernels::OptimizerKind kind) {
  autograd::TrainingOptions options;
  options.widths = {kFeatures, 8, 7, 3};
  options.activations = {autograd::Activation::kGelu, autograd::Activation::kElu};
  options.optimizer = {.kind = kind, .learning_rate = 0.01};
  return options;
}

TEST(ReferenceComparison, EveryStepAgrees) {
  const data::Examples examples = MakeExamples();
  std::vector<uint32_t> rows(kSamples);
  std::iota(rows.begin(), rows.end(), 0u);
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    autograd::TrainingOptions options = Options(kind);
    options.l2 = 0.1;
    ReferenceComparison comparison(options);
    const std::vector<double> start = comparison.weights();
    for (size_t step = 0; step < kSamples; ++step) {
      comparison.TrainStep(examples, std::span(rows).subspan(step, 1),
                           0.01 / static_cast<double>(step + 1));
    }
    EXPECT_NE(comparison.weights(), start);
    EXPECT_LE(comparison.step_deviation(), 1e-14);
    EXPECT_EQ(comparison.agreeing_steps(), kSamples);
    EXPECT_LE(comparison.weight_deviation(), kRounding);
  }
}

// Another rate is another training: it is seen.
TEST(ReferenceTraining, DeviationIsThatOfTheFarthestWeight) {
  const data::Examples examples = MakeExamples();
  const autograd::TrainingOptions options = Options(kernels::OptimizerKind::kSgd);
  autograd::ValueTraining<double> values(options);
  const std::vector<double> start = values.net().ModelParameters();
  ReferenceTraining reference(options, start);
  const uint32_t row = 0;
  reference.TrainStep(examples, {&row, 1}, 0.1);
  EXPECT_GT(reference.Deviation(start), 1e-4);
  std::vector<double> moved = start;
  moved[5] += 100;
  EXPECT_NEAR(reference.Deviation(moved), 100, 1);
  reference.SetWeights(start);
  EXPECT_EQ(reference.Deviation(start), 0);
}

}  // namespace
}  // namespace mlp::experiments
