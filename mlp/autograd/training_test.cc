// Training of nets of values: steps, predictions, and that they learn what the matrix net learns.
#include "mlp/autograd/training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/data/dataset.h"
#include "mlp/data/packing_testing.h"
#include "mlp/optim/schedule.h"
#include "mlp/optim/textbook.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"

namespace mlp::autograd {
namespace {

// n samples of `features` numbers; the class is the largest of the first `classes` of them.
data::Examples MakeExamples(size_t n, size_t features, size_t classes) {
  data::Examples examples;
  examples.size = n;
  examples.features = features;
  examples.values = AlignedBuffer<float>(n * features);
  examples.labels = AlignedBuffer<uint8_t>(n);
  Stream stream(4, Purpose::kTest);
  for (size_t i = 0; i < n; ++i) {
    float* x = examples.values.data() + i * features;
    for (size_t j = 0; j < features; ++j) x[j] = stream.Uniform(-1, 1);
    examples.labels[i] = static_cast<uint8_t>(std::max_element(x, x + classes) - x);
  }
  return examples;
}

std::vector<uint32_t> Rows(size_t n) {
  std::vector<uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

TrainingOptions SmallOptions() {
  TrainingOptions options;
  options.widths = {6, 12, 3};
  options.optimizer.learning_rate = 0.1;
  return options;
}

class TestTrainingFunctions : public ::testing::Test {
 protected:
  const data::Examples examples_ = MakeExamples(60, 6, 3);
  const std::vector<uint32_t> rows_ = Rows(60);
};

TEST_F(TestTrainingFunctions, TrainStepChangesParametersAndReturnsTheLoss) {
  ValueTraining<double> training(SmallOptions());
  const std::vector<double> before = training.net().ModelParameters();
  const reference::Mlp expected(
      {6, 12, 3}, {reference::Activation::kRelu, reference::Activation::kIdentity}, before);
  std::vector<double> x(examples_.values.begin(), examples_.values.begin() + 10 * 6);
  const std::vector<int> labels(examples_.labels.begin(), examples_.labels.begin() + 10);
  const double loss = training.TrainStep(examples_, Rows(10));
  EXPECT_NEAR(loss, expected.Loss(reference::Matrix(10, 6, x), labels), 1e-14);
  EXPECT_NE(training.net().ModelParameters(), before);
  EXPECT_EQ(training.net().gradients()[0], 0);
}

TEST_F(TestTrainingFunctions, PredictionHasOneClassForEachRow) {
  ValueTraining<double> training(SmallOptions());
  const std::vector<int> classes = training.Predict(examples_, rows_);
  ASSERT_EQ(classes.size(), 60u);
  for (const int c : classes) {
    EXPECT_GE(c, 0);
    EXPECT_LT(c, 3);
  }
}

TEST_F(TestTrainingFunctions, EvaluationIsThePartThatIsRight) {
  ValueTraining<double> training(SmallOptions());
  const std::vector<int> classes = training.Predict(examples_, rows_);
  int right = 0;
  for (size_t i = 0; i < 60; ++i) right += classes[i] == examples_.labels[i];
  EXPECT_EQ(training.Evaluate(examples_, rows_), right / 60.0);
  EXPECT_EQ(training.Evaluate(examples_, {}), 0);
}

TEST_F(TestTrainingFunctions, TrainingImproves) {
  ValueTraining<double> training(SmallOptions());
  const double before = training.Evaluate(examples_, rows_);
  const double first = training.TrainStep(examples_, rows_);
  double last = first;
  for (int step = 0; step < 100; ++step) last = training.TrainStep(examples_, rows_);
  EXPECT_LT(last, 0.6 * first);
  EXPECT_GT(training.Evaluate(examples_, rows_), before);
}

class TestIntegration : public TestTrainingFunctions {};

TEST_F(TestIntegration, CompleteTrainingLoop) {
  TrainingOptions options = SmallOptions();
  options.update_each_sample = true;
  ValueTraining<float> training(options);
  double last = 0;
  for (int epoch = 0; epoch < 20; ++epoch) {
    last = 0;
    for (size_t i = 0; i < 60; i += 5) {
      last += training.TrainStep(examples_, std::span(rows_).subspan(i, 5)) / 12;
    }
  }
  EXPECT_LT(last, 0.25);
  EXPECT_GT(training.Evaluate(examples_, rows_), 0.9);
}

TEST_F(TestIntegration, OverfitsATinyDataset) {
  TrainingOptions options = SmallOptions();
  options.widths = {6, 16, 3};
  options.update_each_sample = true;
  ValueTraining<double> training(options);
  double loss = 0;
  for (int epoch = 0; epoch < 400; ++epoch) loss = training.TrainStep(examples_, Rows(5));
  EXPECT_LT(loss, 0.01);
  EXPECT_EQ(training.Evaluate(examples_, Rows(5)), 1);
}

// The same weights after the same steps as the vectorised net in double, by every optimizer.
TEST_F(TestIntegration, SameWeightsAsTheVectorisedNet) {
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    TrainingOptions options = SmallOptions();
    options.optimizer = {.kind = kind, .learning_rate = 0.01, .weight_decay = 0.1};
    ValueTraining<double> training(options);
    reference::Mlp expected({6, 12, 3},
                            {reference::Activation::kRelu, reference::Activation::kIdentity},
                            training.net().ModelParameters());
    const std::unique_ptr<reference::Optimizer> optimizer = optim::Textbook(options.optimizer);
    for (size_t step = 0; step < 30; ++step) {
      const size_t begin = step * 10 % 60;
      const std::vector<double> x(examples_.values.begin() + begin * 6,
                                  examples_.values.begin() + (begin + 10) * 6);
      const std::vector<int> labels(examples_.labels.begin() + begin,
                                    examples_.labels.begin() + begin + 10);
      const double theirs = expected.Step(reference::Matrix(10, 6, x), labels, *optimizer);
      const double ours = training.TrainStep(examples_, std::span(rows_).subspan(begin, 10));
      EXPECT_NEAR(ours, theirs, 1e-12);
    }
    const std::vector<double> w = training.net().ModelParameters();
    for (size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], expected.parameters()[i], 1e-12);
  }
}

// Sixteen samples at a time learn what one at a time does, a last batch that is not full included.
TEST_F(TestIntegration, PacksLearnTheSame) {
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    TrainingOptions options = SmallOptions();
    options.optimizer = {.kind = kind, .learning_rate = 0.01};
    ValueTraining<double> one(options);
    ValueTraining<tape::Pack8d> eight(options);
    ValueTraining<tape::Pack4d> four(options);
    for (int step = 0; step < 20; ++step) {
      const double loss = one.TrainStep(examples_, rows_);
      EXPECT_NEAR(eight.TrainStep(examples_, rows_), loss, 1e-12);
      EXPECT_NEAR(four.TrainStep(examples_, rows_), loss, 1e-12);
    }
    const std::vector<double> w = one.net().ModelParameters();
    const std::vector<double> w8 = eight.net().ModelParameters();
    for (size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], w8[i], 1e-12);
    EXPECT_EQ(one.Predict(examples_, rows_), eight.Predict(examples_, rows_));
  }
  ValueTraining<float> one(SmallOptions());
  ValueTraining<tape::Pack16f> sixteen(SmallOptions());
  for (int step = 0; step < 20; ++step) {
    EXPECT_NEAR(sixteen.TrainStep(examples_, rows_), one.TrainStep(examples_, rows_), 1e-5);
  }
}

// A schedule's rate for each step, in double and in float.
TEST_F(TestIntegration, FollowsALearningRateSchedule) {
  const optim::ScheduleOptions schedule = {.kind = optim::ScheduleKind::kCosine, .warmup = 1};
  constexpr double kRate = 0.1;
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    TrainingOptions options = SmallOptions();
    options.optimizer = {.kind = kind, .learning_rate = kRate, .weight_decay = 0.1};
    ValueTraining<double> doubles(options);
    ValueTraining<float> floats(options);
    std::vector<double> w = doubles.net().ModelParameters();
    for (size_t step = 0; step < 12; ++step) {
      const double rate = kRate * optim::ScheduleFactor(
                                      schedule, {.step = step, .steps_per_epoch = 4, .epochs = 3});
      doubles.set_learning_rate(rate);
      floats.set_learning_rate(rate);
      const std::vector<double> before = doubles.net().ModelParameters();
      doubles.TrainStep(examples_, rows_);
      floats.TrainStep(examples_, rows_);
      if (kind == kernels::OptimizerKind::kSgd) {
        // The step alone, at a rate of 1, from the same weights.
        TrainingOptions unit = options;
        unit.optimizer.learning_rate = 1;
        ValueTraining<double> one(unit);
        one.net().SetModelParameters<double>(before);
        one.TrainStep(examples_, rows_);
        const std::vector<double> whole = one.net().ModelParameters();
        const std::vector<double> after = doubles.net().ModelParameters();
        for (size_t i = 0; i < before.size(); ++i) {
          EXPECT_NEAR(after[i] - before[i], rate * (whole[i] - before[i]), 1e-14);
        }
      }
    }
    const std::vector<double> end = doubles.net().ModelParameters();
    const std::vector<double> single = floats.net().ModelParameters();
    for (size_t i = 0; i < end.size(); ++i) EXPECT_NEAR(single[i], end[i], 1e-5);
  }
}

TEST_F(TestIntegration, L2PullsWeightsToZero) {
  TrainingOptions options = SmallOptions();
  options.l2 = 0.5;
  ValueTraining<double> training(options);
  const std::vector<double> before = training.net().ModelParameters();
  ValueTraining<double> without(SmallOptions());
  training.TrainStep(examples_, rows_);
  without.TrainStep(examples_, rows_);
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_NEAR(training.net().ModelParameters()[i],
                without.net().ModelParameters()[i] - 0.1 * 0.5 * before[i], 1e-15);
  }
}

// What the tape holds as data beyond the inputs: the factors that hidden outputs were given.
template <class T>
std::vector<T> Factors(ValueTraining<T>& training) {
  std::vector<T> factors;
  const auto all = training.tape().arrays();
  for (Id id = training.mark().size; id < training.tape().size(); ++id) {
    if (all.words[id].op() == Op::kData) factors.push_back(all.values[id]);
  }
  return factors;
}

TEST_F(TestIntegration, DropoutDropsThatPartAndScalesTheRest) {
  TrainingOptions options = SmallOptions();
  options.widths = {6, 1000, 3};
  options.dropout = 0.3;
  ValueTraining<double> training(options);
  training.Record(examples_, std::span(rows_).first(1), 1);
  const std::vector<double> factors = Factors(training);
  ASSERT_EQ(factors.size(), 1000u);
  size_t dropped = 0;
  for (const double factor : factors) {
    if (factor == 0)
      ++dropped;
    else
      EXPECT_DOUBLE_EQ(factor, 1 / 0.7);
  }
  EXPECT_NEAR(static_cast<double>(dropped), 300, 60);  // Four standard deviations.

  // A dropped output has no part in the logits: the weights that it goes through have gradient 0.
  TrainingOptions whole_options = options;
  whole_options.dropout = 0;
  ValueTraining<double> whole(whole_options);
  const auto weights = training.net().layers()[1].neurons()[0].weights();
  whole.Record(examples_, std::span(rows_).first(1), 1);
  const size_t first = weights.first() - tape::kFirstId;
  size_t active = 0;
  for (size_t k = 0; k < factors.size(); ++k) {
    if (whole.tape().gradients()[first + k] == 0) continue;  // relu
    ++active;
    EXPECT_EQ(training.tape().gradients()[first + k] == 0, factors[k] == 0) << k;
  }
  EXPECT_GT(active, 300u);

  // Every record draws anew, and predictions drop nothing.
  training.Record(examples_, std::span(rows_).first(1), 1);
  EXPECT_NE(Factors(training), factors);
  const auto logits = training.Logits(examples_, std::span(rows_).first(1));
  const auto expected = whole.Logits(examples_, std::span(rows_).first(1));
  for (size_t k = 0; k < 3; ++k) EXPECT_EQ(logits[k].value(), expected[k].value());
  EXPECT_TRUE(Factors(training).empty());
}

TEST_F(TestIntegration, DropoutOfPacksDiffersFromSampleToSample) {
  TrainingOptions options = SmallOptions();
  options.widths = {6, 500, 3};
  options.dropout = 0.3;
  ValueTraining<tape::Pack8d> training(options);
  training.Record(examples_, std::span(rows_).first(8), 1);
  const std::vector<tape::Pack8d> factors = Factors(training);
  ASSERT_EQ(factors.size(), 500u);
  for (size_t lane = 0; lane < 8; ++lane) {
    size_t dropped = 0, unlike = 0;
    for (const tape::Pack8d& factor : factors) {
      EXPECT_TRUE(factor[lane] == 0 || std::abs(factor[lane] - 1 / 0.7) < 1e-15);
      dropped += factor[lane] == 0;
      unlike += factor[lane] != factor[(lane + 1) % 8];
    }
    EXPECT_NEAR(static_cast<double>(dropped), 150, 41);
    EXPECT_NEAR(static_cast<double>(unlike), 500 * 2 * 0.3 * 0.7, 45);
  }
}

// One sample of the seed's net: what a micrograd records in 25,446 nodes.
TEST_F(TestIntegration, ASampleIsAFewRecords) {
  const data::Examples digits = MakeExamples(1, 784, 10);
  ValueTraining<double> training(TrainingOptions{});
  training.Record(digits, Rows(1), 1);
  // 16 sums of products, the rectifiers, 10 sums of products; then of the loss all differences, all
  // powers, their sum, a logarithm, and one difference more.
  EXPECT_EQ(training.tape().records(), 16u + 1 + 10 + 3 + 2);
}

TEST_F(TestIntegration, DivergenceNamesTheOpThatBeganIt) {
  TrainingOptions options = SmallOptions();
  options.optimizer.learning_rate = 1e200;
  ValueTraining<double> training(options);
  double loss = training.TrainStep(examples_, rows_);
  EXPECT_TRUE(std::isfinite(loss));
  EXPECT_EQ(training.first_non_finite(), "");
  loss = training.TrainStep(examples_, rows_);
  EXPECT_FALSE(std::isfinite(loss));
  EXPECT_NE(training.first_non_finite().find(", dot of id "), std::string::npos)
      << training.first_non_finite();
  const std::string first = training.first_non_finite();
  training.TrainStep(examples_, rows_);
  EXPECT_EQ(training.first_non_finite(), first);

  ValueTraining<double> broken(SmallOptions());
  broken.net().numbers()[5] = std::numeric_limits<double>::infinity();
  broken.TrainStep(examples_, rows_);
  EXPECT_EQ(broken.first_non_finite(), "parameter 5 of 123 is inf since the last update");
}

TEST_F(TestIntegration, DropoutTrains) {
  TrainingOptions options = SmallOptions();
  options.dropout = 0.3;
  options.optimizer.learning_rate = 0.05;
  ValueTraining<double> training(options);
  for (int step = 0; step < 300; ++step) training.TrainStep(examples_, rows_);
  EXPECT_GT(training.Evaluate(examples_, rows_), 0.85);
  EXPECT_FALSE(Validate(TrainingOptions{.dropout = 1}).ok());
  EXPECT_FALSE(Validate(TrainingOptions{.l2 = -1}).ok());
  EXPECT_FALSE(Validate(TrainingOptions{.widths = {3}}).ok());
  EXPECT_TRUE(Validate(options).ok());
}

// What callers give is checked in all builds.
TEST_F(TestIntegration, MisuseIsToldWithWhatToDo) {
  GTEST_FLAG_SET(death_test_style, "fast");
  ValueTraining<double> training(SmallOptions());
  const std::vector<uint32_t> beyond = {static_cast<uint32_t>(examples_.size)};
  EXPECT_DEATH(training.TrainStep(examples_, beyond),
               "a row of the examples: expected a number below");
  EXPECT_DEATH(training.TrainStep(examples_, {}), "TrainStep: rows: expected at least one");
  TrainingOptions options = SmallOptions();
  options.dropout = 1;
  EXPECT_DEATH(ValueTraining<double>{options}, "ValueTraining: dropout: expected a number in");
  options.dropout = 0;
  options.update_each_sample = true;
  EXPECT_DEATH(ValueTraining<tape::Pack16f>{options},
               "update_each_sample: expected false for packs");
  options.widths.front() += 1;
  options.update_each_sample = false;
  ValueTraining<double> other(options);
  EXPECT_DEATH(other.TrainStep(examples_, rows_), "a net's inputs: expected [0-9]+, found [0-9]+");
  EXPECT_DEATH(training.set_learning_rate(-1),
               "set_learning_rate: expected a number from 0, found -1.0");
  EXPECT_DEATH(training.set_learning_rate(std::nan("")),
               "set_learning_rate: expected a number from 0, found nan");

  for (const size_t n : {size_t{0}, size_t{2}}) {
    EXPECT_DEATH((void)training.Record(examples_, Rows(n), 1), "rows of the examples: expected");
    EXPECT_DEATH((void)training.Logits(examples_, Rows(n)), "rows of the examples: expected");
  }
  ValueTraining<tape::Pack4d> packs(SmallOptions());
  EXPECT_DEATH((void)packs.Logits(examples_, Rows(5)),
               "rows of the examples: expected a number below 5, found 5");
  data::Examples incomplete = MakeExamples(60, 6, 3);
  incomplete.labels = {};
  EXPECT_DEATH(training.TrainStep(incomplete, rows_),
               "labels of the examples: expected 60, found 0");
  EXPECT_DEATH(training.Evaluate(incomplete, rows_),
               "labels of the examples: expected 60, found 0");
  EXPECT_EQ(training.Predict(incomplete, rows_).size(), 60u);
  incomplete.values = {};
  EXPECT_DEATH(training.Predict(incomplete, rows_),
               "numbers of the examples: expected 360, found 0");
}

TEST_F(TestIntegration, PackedPixelsTrainTheSame) {
  data::Examples bytes;
  bytes.size = examples_.size;
  bytes.features = examples_.features;
  bytes.labels = AlignedBuffer<uint8_t>(bytes.size);
  std::ranges::copy(examples_.labels, bytes.labels.begin());
  bytes.pixels = AlignedBuffer<uint8_t>(bytes.size * bytes.features);
  Stream stream(1, Purpose::kTest);
  for (uint8_t& pixel : bytes.pixels) pixel = stream.Below(3) == 0 ? stream.Below(256) : 0;
  const auto train = [&](const data::Examples& examples) {
    ValueTraining<double> training(SmallOptions());
    for (int step = 0; step < 5; ++step) training.TrainStep(examples, rows_);
    return training.net().ModelParameters();
  };
  EXPECT_EQ(train(data::Packed(bytes)), train(bytes));
}

}  // namespace
}  // namespace mlp::autograd
