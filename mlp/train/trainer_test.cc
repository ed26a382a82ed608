#include "mlp/train/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "mlp/data/packing_testing.h"
#include "mlp/train/testing.h"

namespace mlp::train {
namespace {

TrainOptions Options() {
  TrainOptions options;
  options.epochs = 3;
  options.batch_size = 16;
  return options;
}

std::string ErrorOf(const TrainOptions& options, const data::Dataset& dataset,
                    const std::string& spec) {
  model::Model model(Spec(spec), 1);
  const auto trainer = Trainer::Create(options, dataset, model);
  EXPECT_EQ(trainer.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(trainer.status().message());
}

class Recorder : public Callback {
 public:
  size_t StepsAtOnce(size_t, size_t) const override { return 1; }
  explicit Recorder(size_t stop_at_step = 0) : stop_at_step_(stop_at_step) {}
  Next OnStep(const StepSummary& step) override {
    steps.push_back(step);
    return steps.size() == stop_at_step_ ? Next::kStop : Next::kContinue;
  }
  Next OnEpoch(const EpochSummary& epoch) override {
    epochs.push_back(epoch);
    return Next::kContinue;
  }
  std::vector<StepSummary> steps;
  std::vector<EpochSummary> epochs;

 private:
  const size_t stop_at_step_;
};

TEST(TrainerTest, ReportsEveryStepAndEpoch) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  model::Model model(Spec("12-8-3"), 1);
  auto trainer = Trainer::Create(Options(), dataset, model);
  ASSERT_TRUE(trainer.ok());
  Recorder recorder;
  const auto epochs = trainer->Train(&recorder);
  ASSERT_TRUE(epochs.ok());
  ASSERT_EQ(epochs->size(), 3u);
  ASSERT_EQ(recorder.steps.size(), 3u * 7);  // 6 of 16 and one of 4
  EXPECT_EQ(recorder.epochs.size(), 3u);
  EXPECT_EQ(recorder.steps[6].result.samples, 4u);
  EXPECT_EQ(recorder.steps[7].epoch, 2u);
  EXPECT_EQ(recorder.steps[7].step, 1u);
  double loss = 0, seconds = 0;
  for (size_t i = 0; i < 7; ++i) {
    loss += recorder.steps[i].result.loss_sum;
    seconds += recorder.steps[i].seconds;
  }
  EXPECT_DOUBLE_EQ((*epochs)[0].train_loss, loss / 100);
  EXPECT_DOUBLE_EQ((*epochs)[0].seconds, seconds);
  EXPECT_EQ((*epochs)[0].samples, 100u);
  EXPECT_LT((*epochs)[2].train_loss, (*epochs)[0].train_loss);
}

// Not when it trains next: that goes on with the rest of the epoch.
TEST(TrainerTest, ACallbackStopsTheTrainingThatItWatches) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  model::Model straight(Spec("12-8-3"), 1), stopped(Spec("12-8-3"), 1);
  const auto expected = Trainer::Create(Options(), dataset, straight)->Train();
  ASSERT_TRUE(expected.ok());

  auto trainer = Trainer::Create(Options(), dataset, stopped);
  Recorder first(/*stop_at_step=*/3), second;
  const auto part = trainer->TrainEpoch(&first);
  ASSERT_TRUE(part.ok());
  EXPECT_FALSE(part->complete);
  EXPECT_EQ(part->steps, 3u);
  EXPECT_TRUE(trainer->stopped());
  const auto rest = trainer->Train(&second);
  ASSERT_TRUE(rest.ok());
  EXPECT_FALSE(trainer->stopped());
  EXPECT_EQ(second.steps.size(), 3u * 7 - 3);
  ASSERT_EQ(rest->size(), 3u);
  EXPECT_EQ((*rest)[0].steps, 7u);
  EXPECT_EQ((*rest)[0].train_loss, (*expected)[0].train_loss);
  EXPECT_EQ(ParametersOf(stopped), ParametersOf(straight));
}

TEST(TrainerTest, NeedsAThread) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  for (const StrategyKind kind : kStrategyKinds) {
    for (const int threads : {0, -3}) {
      TrainOptions options = Options();
      options.strategy.kind = kind;
      options.strategy.threads = threads;
      EXPECT_EQ(ErrorOf(options, dataset, "12-8-3"),
                "--threads: expected a number from 1, found " + std::to_string(threads) +
                    "; EffectiveThreads(0) says how many there are");
    }
  }
}

TEST(TrainerTest, ABatchLargerThanTheDataIsAllOfIt) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  TrainOptions options = Options();
  options.batch_size = std::numeric_limits<size_t>::max();
  for (const StrategyKind kind : kStrategyKinds) {
    options.strategy.kind = kind;
    model::Model model(Spec("12-8-3"), 1);
    auto trainer = Trainer::Create(options, dataset, model);
    ASSERT_TRUE(trainer.ok());
    EXPECT_EQ(trainer->options().batch_size, 100u);
    const auto epoch = trainer->TrainEpoch();
    ASSERT_TRUE(epoch.ok());
    EXPECT_TRUE(epoch->complete);
    EXPECT_EQ(epoch->samples, 100u);
  }
}

TEST(TrainerTest, OnlyWhoCanSkipsZeros) {
  data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  for (uint8_t& pixel : dataset.train.pixels) pixel = pixel < 250 ? 0 : pixel;
  for (const StrategyKind kind : kStrategyKinds) {
    TrainOptions options = Options();
    options.strategy.kind = kind;
    model::Model model(Spec("12-70-3"), 1);
    const bool can = kind == StrategyKind::kTensorParallel;
    auto trainer = Trainer::Create(options, dataset, model);
    ASSERT_TRUE(trainer.ok());
    EXPECT_EQ(trainer->options().strategy.skip_zeros, can) << Name(kind);
    options.strategy.skip_zeros = true;
    EXPECT_EQ(Trainer::Create(options, dataset, model).ok(), can) << Name(kind);
  }
}

// Where that saves memory, and for who skips zeros at whatever density.
TEST(TrainerTest, PixelsArePackedForWhoReadsThem) {
  StrategyOptions strategy = {.kind = StrategyKind::kTensorParallel, .skip_below = 0.7};
  EXPECT_EQ(PackBelow(strategy, {}), 0.7);
  EXPECT_EQ(PackBelow(strategy, {.weight_decay = 0.1}), 0);
  strategy.skip_zeros = true;
  EXPECT_EQ(PackBelow(strategy, {}), 0.7);
  strategy.skip_zeros = false;
  EXPECT_EQ(PackBelow(strategy, {}), 0.35);
  strategy.skip_zeros = {};
  strategy.precision = kernels::Precision::kBf16;
  EXPECT_EQ(PackBelow(strategy, {}), 0.35);
  strategy = {.kind = StrategyKind::kTensorParallel, .skip_below = 0};
  EXPECT_EQ(PackBelow(strategy, {}), 0.35);
  EXPECT_EQ(PackBelow({.kind = StrategyKind::kFused}, {}), 0);
}

TEST(TrainerTest, PackedPixelsTrainAndAreEvaluatedTheSame) {
  data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  for (uint8_t& pixel : dataset.train.pixels) pixel = pixel < 128 ? 0 : pixel;
  TrainOptions options = Options();
  options.strategy.skip_below = 0.7;
  options.validation = 0.2;
  options.strategy.kind = StrategyKind::kTensorParallel;
  const auto train = [&](bool skips) {
    options.strategy.skip_zeros = skips ? std::nullopt : std::optional(false);
    model::Model model(Spec("12-70-3"), 1);
    auto trainer = Trainer::Create(options, dataset, model);
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    EXPECT_EQ(trainer->options().strategy.skip_zeros, skips);
    const auto epoch = trainer->TrainEpoch();
    return std::tuple(epoch->train_loss, epoch->validation->loss, epoch->validation->accuracy,
                      std::vector(model.parameters().begin(), model.parameters().end()));
  };
  const auto expected = train(true);
  dataset.train = data::Packed(dataset.train);
  EXPECT_EQ(train(true), expected);
  EXPECT_EQ(train(false), expected);

  // Who changes weights of pixels that are always 0, or reads whole rows, has to have them.
  const auto error = [&] { return ErrorOf(options, dataset, "12-70-3"); };
  options.optimizer.weight_decay = 0.1;
  EXPECT_NE(error().find("expected pixels that are not packed"), std::string::npos) << error();
  options.optimizer.weight_decay = 0;
  options.strategy.skip_zeros = {};
  options.strategy.kind = StrategyKind::kFused;
  EXPECT_NE(error().find("expected pixels that are not packed"), std::string::npos) << error();
}

// Each epoch of a schedule by epochs is one of a training with that rate, in every strategy.
TEST(TrainerTest, StepsTakeTheSchedulesRate) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  for (const StrategyKind kind : kStrategyKinds) {
    TrainOptions options = Options();
    options.epochs = 2;
    options.strategy.kind = kind;
    options.schedule = {.kind = optim::ScheduleKind::kExponential, .decay = 0.25};
    model::Model scheduled(Spec("12-8-3"), 1), by_hand(Spec("12-8-3"), 1);
    auto trainer = Trainer::Create(options, dataset, scheduled);
    ASSERT_TRUE(trainer.ok());
    const auto epochs = trainer->Train();
    ASSERT_TRUE(epochs.ok());
    EXPECT_EQ((*epochs)[0].learning_rate, 1e-3);
    EXPECT_EQ((*epochs)[1].learning_rate, 0.25e-3);

    options.schedule = {};
    auto first = Trainer::Create(options, dataset, by_hand);
    ASSERT_TRUE(first->TrainEpoch().ok());
    options.optimizer.learning_rate *= 0.25;
    auto second = Trainer::Create(options, dataset, by_hand);
    ASSERT_TRUE(second->Resume(first->state()).ok());
    ASSERT_TRUE(second->TrainEpoch().ok());
    EXPECT_EQ(ParametersOf(scheduled), ParametersOf(by_hand)) << Name(kind);
  }
}

TEST(TrainerTest, EveryStepOfARisingOrFallingScheduleHasItsOwnRate) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  TrainOptions options = Options();
  options.optimizer = {.kind = kernels::OptimizerKind::kSgd, .learning_rate = 0.1};
  options.schedule = {.kind = optim::ScheduleKind::kCosine, .warmup = 1};
  const auto train = [&](Callback* callback) {
    model::Model model(Spec("12-8-3"), 1);
    auto trainer = Trainer::Create(options, dataset, model);
    EXPECT_TRUE(trainer.ok() && trainer->Train(callback).ok());
    return ParametersOf(model);
  };
  Recorder recorder;  // It asks for every step.
  EXPECT_EQ(train(nullptr), train(&recorder));
  // The last of 7 steps has risen to all of it; then it falls.
  EXPECT_EQ(recorder.epochs[0].learning_rate, 0.1);
  EXPECT_LT(recorder.epochs[1].learning_rate, 0.1);
  EXPECT_LT(recorder.epochs[2].learning_rate, recorder.epochs[1].learning_rate);
  options.schedule.decay_to = 2;
  EXPECT_NE(ErrorOf(options, dataset, "12-8-3").find("--decay_to"), std::string::npos);
}

TEST(TrainerTest, DropsTheLastBatchWhenAsked) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  TrainOptions options = Options();
  options.last_batch = data::LastBatch::kDrop;
  model::Model model(Spec("12-8-3"), 1);
  auto trainer = Trainer::Create(options, dataset, model);
  ASSERT_TRUE(trainer.ok());
  EXPECT_EQ(trainer->TrainEpoch()->samples, 96u);
  options.batch_size = 101;
  EXPECT_NE(ErrorOf(options, dataset, "12-8-3").find("at most the 100"), std::string::npos);
}

TEST(TrainerTest, StopsAfterTheStepWhenAsked) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  model::Model model(Spec("12-8-3"), 1);
  auto trainer = Trainer::Create(Options(), dataset, model);
  ASSERT_TRUE(trainer.ok());
  Recorder recorder(9);
  const auto epochs = trainer->Train(&recorder);
  ASSERT_TRUE(epochs.ok());
  EXPECT_TRUE(trainer->stopped());
  EXPECT_EQ(recorder.steps.size(), 9u);
  ASSERT_EQ(epochs->size(), 2u);
  EXPECT_EQ((*epochs)[1].steps, 2u);
}

TEST(TrainerTest, TheSeedDecidesTheOrderAndNothingElseDoes) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  const auto train = [&](uint64_t seed, int threads) {
    TrainOptions options = Options();
    options.seed = seed;
    options.strategy.threads = threads;
    model::Model model(Spec("12-70-3"), 1);
    auto trainer = Trainer::Create(options, dataset, model);
    MLP_CHECK(trainer->Train().ok());
    return ParametersOf(model);
  };
  EXPECT_EQ(train(1, 1), train(1, 1));
  EXPECT_EQ(train(1, 1), train(1, 3));
  EXPECT_NE(train(1, 1), train(2, 1));
}

// Whatever form the strategy keeps the parameters in while it trains.
TEST(TrainerTest, ACallbackMayEvaluateBetweenSteps) {
  const data::Dataset dataset = RandomDataset(100, 50, 12, 3);
  for (const StrategyKind kind : kStrategyKinds) {
    TrainOptions options = Options();
    options.epochs = 1;
    options.strategy.kind = kind;
    model::Model model(Spec("12-70-3"), 1);
    auto trainer = Trainer::Create(options, dataset, model);
    ASSERT_TRUE(trainer.ok());
    class Evaluator final : public Callback {
     public:
      explicit Evaluator(const Trainer& trainer) : trainer_(trainer) {}
      size_t StepsAtOnce(size_t, size_t) const override { return 1; }
      Next OnStep(const StepSummary&) override {
        losses.push_back(trainer_.Test().loss);
        return Next::kContinue;
      }
      std::vector<double> losses;

     private:
      const Trainer& trainer_;
    } evaluator(*trainer);
    ASSERT_TRUE(trainer->Train(&evaluator).ok());
    EXPECT_EQ(evaluator.losses.back(), trainer->Test().loss) << Name(kind);
    EXPECT_NE(evaluator.losses.front(), evaluator.losses.back()) << Name(kind);
  }
}

TEST(TrainerTest, HoldsRowsOutForValidation) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  TrainOptions options = Options();
  options.validation = 0.2;
  model::Model model(Spec("12-8-3"), 1);
  auto trainer = Trainer::Create(options, dataset, model);
  ASSERT_TRUE(trainer.ok());
  const auto epoch = trainer->TrainEpoch();
  EXPECT_EQ(epoch->samples, 80u);
  ASSERT_TRUE(epoch->validation.has_value());
  EXPECT_EQ(epoch->validation->samples, 20u);
}

TEST(TrainerTest, SaysWhereItDiverged) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  TrainOptions options = Options();
  options.optimizer = {.kind = kernels::OptimizerKind::kSgd, .learning_rate = 1e30};
  model::Model model(Spec("12-8-3"), 1);
  auto trainer = Trainer::Create(options, dataset, model);
  ASSERT_TRUE(trainer.ok());
  const auto epochs = trainer->Train();
  EXPECT_EQ(epochs.status().code(), absl::StatusCode::kAborted);
  EXPECT_NE(epochs.status().message().find("epoch 1, steps 1 to "), std::string::npos);
  EXPECT_NE(epochs.status().message().find("lower --learning_rate"), std::string::npos);
}

TEST(TrainerTest, TheModelHoldsWhatDiverged) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  TrainOptions options = Options();
  options.optimizer = {.kind = kernels::OptimizerKind::kSgd, .learning_rate = 1e30};
  for (const StrategyKind kind : {StrategyKind::kFused, StrategyKind::kTensorParallel}) {
    if (!CanTrain(kind, {}, {Spec("12-8-3")})) continue;
    options.strategy.kind = kind;
    model::Model model(Spec("12-8-3"), 1);
    const std::vector<float> before = ParametersOf(model);
    auto trainer = Trainer::Create(options, dataset, model);
    ASSERT_TRUE(trainer.ok());
    EXPECT_FALSE(trainer->Train().ok());
    EXPECT_NE(ParametersOf(model), before) << Name(kind);
  }
}

TEST(TrainerTest, TellsTheLastUpdateByItsValidation) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  TrainOptions options = Options();
  options.epochs = 1;
  options.batch_size = 100;  // One step: its loss is that of the first weights.
  options.optimizer = {.kind = kernels::OptimizerKind::kSgd, .learning_rate = 1e38};
  for (const double validation : {0.0, 0.2}) {
    options.validation = validation;
    model::Model model(Spec("12-8-3"), 1);
    auto trainer = Trainer::Create(options, dataset, model);
    ASSERT_TRUE(trainer.ok());
    const auto epochs = trainer->Train();
    EXPECT_EQ(epochs.ok(), validation == 0);
    const absl::Status status =
        epochs.ok() ? CheckFiniteLoss("test part", trainer->Test().loss) : epochs.status();
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_NE(status.message().find("expected a finite loss, found "), std::string::npos);
  }
  EXPECT_EQ(CheckFiniteLoss("test part", 2.3), absl::OkStatus());
}

TEST(TrainerTest, RefusesWhatDoesNotGoTogether) {
  const data::Dataset dataset = RandomDataset(100, 10, 12, 3);
  EXPECT_NE(ErrorOf(Options(), dataset, "13-3").find("input width of 12"), std::string::npos);
  const std::string error = ErrorOf(Options(), dataset, "12-2");
  EXPECT_NE(error.find("3 classes"), std::string::npos);
  EXPECT_NE(error.find("(label 2 of training sample "), std::string::npos);
  TrainOptions options = Options();
  options.batch_size = 0;
  EXPECT_NE(ErrorOf(options, dataset, "12-3").find("--batch_size"), std::string::npos);
  options = Options();
  options.optimizer.learning_rate = NAN;
  EXPECT_NE(ErrorOf(options, dataset, "12-3").find("--learning_rate"), std::string::npos);
  options = Options();
  options.validation = 1;
  ErrorOf(options, dataset, "12-3");
}

class SomeStepsRecorder : public Recorder {
 public:
  size_t StepsAtOnce(size_t step, size_t steps) const override {
    return Callback::StepsAtOnce(step, steps);
  }
};

TEST(TrainerTest, StepsTakenAtOnceAreThoseOneByOne) {
  const data::Dataset dataset = RandomDataset(700, 10, 5, 3);
  TrainOptions options = Options();
  options.batch_size = 2;
  options.strategy.kind = StrategyKind::kTiny;
  if (!CanTrain(StrategyKind::kTiny, options.strategy.target, {Spec("5-8-3")})) GTEST_SKIP();
  const auto train = [&](Recorder& recorder) {
    model::Model model(Spec("5-8-3"), 1);
    auto trainer = Trainer::Create(options, dataset, model);
    EXPECT_TRUE(trainer.ok());
    EXPECT_TRUE(trainer->Train(&recorder).ok());
    return ParametersOf(model);
  };
  SomeStepsRecorder some;
  Recorder all;
  EXPECT_EQ(train(some), train(all));
  EXPECT_EQ(all.steps.size(), 3u * 350);
  EXPECT_LT(some.steps.size(), 3u * 10);
  size_t steps = 0;
  for (const StepSummary& step : some.steps) {
    EXPECT_EQ(step.result.samples, 2 * step.steps);
    steps += step.steps;
  }
  EXPECT_EQ(steps, 3u * 350);
  EXPECT_EQ(some.steps.front().step, some.steps.front().steps);
  ASSERT_EQ(some.epochs.size(), 3u);
  EXPECT_DOUBLE_EQ(some.epochs[2].train_loss, all.epochs[2].train_loss);
}

TEST(EvaluateTest, AgreesWithTheConfusionMatrixAndPredictions) {
  const data::Dataset dataset = RandomDataset(10, 301, 12, 3);
  const model::Model model(Spec("12-8-3"), 1);
  const EvaluateOptions options = {.threads = 2, .batch_size = 64};
  const Evaluation all = Evaluate(options, model, dataset.test);
  EXPECT_EQ(all.samples, 301u);
  const std::vector<size_t> counts = ConfusionMatrix(options, model, dataset.test);
  size_t total = 0;
  for (const size_t count : counts) total += count;
  EXPECT_EQ(total, 301u);
  EXPECT_DOUBLE_EQ(all.accuracy * 301, static_cast<double>(counts[0] + counts[4] + counts[8]));

  double loss = 0;
  size_t next = 0;
  Predict(options, model, dataset.test,
          [&](size_t begin, ConstMatrix probabilities, std::span<const uint32_t> classes) {
            EXPECT_EQ(begin, next);
            next += probabilities.rows();
            for (size_t i = 0; i < probabilities.rows(); ++i) {
              const float* p = probabilities.row(i);
              EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-5);
              EXPECT_EQ(p[classes[i]], *std::max_element(p, p + 3));
              loss -= std::log(p[dataset.test.labels[begin + i]]);
            }
          });
  EXPECT_EQ(next, 301u);
  EXPECT_NEAR(loss / 301, all.loss, 1e-5);
  EXPECT_EQ(Evaluate(options, model, dataset.test, {}).samples, 0u);
}

}  // namespace
}  // namespace mlp::train
