// Training that was interrupted and resumed ends with the same bits as training that was not.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/data/dataset.h"
#include "mlp/kernels/update/update.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/model/training_state.h"
#include "mlp/optim/schedule.h"
#include "mlp/train/strategies/strategy.h"
#include "mlp/train/trainer.h"

namespace mlp::train {
namespace {

constexpr size_t kSamples = 50;

data::Dataset Noise() {
  data::Dataset dataset;
  dataset.name = "noise";
  dataset.rows = dataset.cols = 4;
  dataset.classes = 3;
  Stream stream(1, Purpose::kTest);
  dataset.train.size = kSamples;
  dataset.train.features = 16;
  dataset.train.pixels = AlignedBuffer<uint8_t>(kSamples * 16);
  dataset.train.labels = AlignedBuffer<uint8_t>(kSamples);
  for (uint8_t& pixel : dataset.train.pixels) pixel = static_cast<uint8_t>(stream.Below(256));
  for (uint8_t& label : dataset.train.labels) label = static_cast<uint8_t>(stream.Below(3));
  return dataset;
}

// Stops training after some steps of a session.
class StopAfter final : public Callback {
 public:
  explicit StopAfter(size_t steps) : left_(steps) {}
  size_t StepsAtOnce(size_t, size_t) const override { return 1; }
  Next OnStep(const StepSummary&) override { return --left_ == 0 ? Next::kStop : Next::kContinue; }

 private:
  size_t left_;
};

struct Outcome {
  std::vector<float> parameters;
  std::vector<EpochSummary> epochs;  // complete ones
  model::TrainingState state;
};

class ResumeTest : public testing::Test {
 protected:
  ResumeTest() {
    options_.epochs = 4;
    options_.batch_size = 8;  // 7 steps an epoch, the last one of 2 samples
    options_.strategy.threads = 2;
    options_.strategy.shards = 2;
  }

  model::Model NewModel() const { return model::Model(*model::ParseModelSpec(model_), 1); }

  // Sessions of so many steps each, then one to the end; a new trainer and model for each.
  Outcome Train(const std::vector<size_t>& sessions) {
    Outcome outcome;
    const model::Model initial = NewModel();
    outcome.parameters.assign(initial.parameters().begin(), initial.parameters().end());
    for (size_t i = 0; i <= sessions.size(); ++i) {
      model::Model model(*model::ParseModelSpec(model_));
      std::ranges::copy(outcome.parameters, model.parameters().begin());
      Trainer trainer = *Trainer::Create(options_, dataset_, model);
      if (i > 0) {
        EXPECT_TRUE(trainer.Resume(outcome.state).ok());
      }
      StopAfter stop(i < sessions.size() ? sessions[i] : 1000);
      const auto epochs = trainer.Train(&stop);
      EXPECT_TRUE(epochs.ok());
      for (const EpochSummary& epoch : *epochs) {
        if (epoch.complete) outcome.epochs.push_back(epoch);
      }
      outcome.parameters.assign(model.parameters().begin(), model.parameters().end());
      outcome.state = trainer.state();
    }
    return outcome;
  }

  void ExpectSame(const Outcome& a, const Outcome& b) {
    EXPECT_EQ(a.parameters, b.parameters);
    ASSERT_EQ(a.epochs.size(), b.epochs.size());
    for (size_t i = 0; i < a.epochs.size(); ++i) {
      EXPECT_EQ(a.epochs[i].epoch, b.epochs[i].epoch);
      EXPECT_EQ(a.epochs[i].steps, b.epochs[i].steps);
      EXPECT_EQ(a.epochs[i].samples, b.epochs[i].samples);
      EXPECT_EQ(a.epochs[i].learning_rate, b.epochs[i].learning_rate);
      EXPECT_EQ(a.epochs[i].train_loss, b.epochs[i].train_loss);
      EXPECT_EQ(a.epochs[i].train_accuracy, b.epochs[i].train_accuracy);
      ASSERT_EQ(a.epochs[i].validation.has_value(), b.epochs[i].validation.has_value());
      if (!a.epochs[i].validation) continue;
      EXPECT_EQ(a.epochs[i].validation->loss, b.epochs[i].validation->loss);
    }
    EXPECT_EQ(a.state.epochs_done, b.state.epochs_done);
    EXPECT_EQ(a.state.steps_done, b.state.steps_done);
    EXPECT_EQ(a.state.optimizer_steps, b.state.optimizer_steps);
    ASSERT_EQ(a.state.optimizer_states.size(), b.state.optimizer_states.size());
    for (size_t k = 0; k < a.state.optimizer_states.size(); ++k) {
      EXPECT_TRUE(std::ranges::equal(a.state.optimizer_states[k], b.state.optimizer_states[k]));
    }
  }

  const char* model_ = "16-70-40-3";
  TrainOptions options_;
  data::Dataset dataset_ = Noise();
};

TEST_F(ResumeTest, EveryInterruptionEqualsNone) {
  const Outcome whole = Train({});
  ASSERT_EQ(whole.epochs.size(), 4u);
  for (const std::vector<size_t>& sessions :
       std::vector<std::vector<size_t>>{{1}, {6}, {7}, {8}, {14}, {17}, {27}, {3, 2, 1, 1, 9}}) {
    SCOPED_TRACE(testing::PrintToString(sessions));
    ExpectSame(whole, Train(sessions));
  }
}

TEST_F(ResumeTest, AlsoWithValidationClippingAndSgd) {
  options_.validation = 0.2;
  options_.strategy.kind = StrategyKind::kMaterialized;
  options_.strategy.clip_norm = 0.1;
  options_.optimizer.kind = kernels::OptimizerKind::kSgd;
  options_.optimizer.learning_rate = 0.1;
  ExpectSame(Train({}), Train({5, 5, 5}));
}

TEST_F(ResumeTest, EverySchedule) {
  for (const optim::ScheduleKind kind : optim::kScheduleKinds) {
    SCOPED_TRACE(std::string(Name(kind)));
    options_.schedule = {.kind = kind, .decay = 0.5, .decay_every = 2, .warmup = 1.5};
    for (const StrategyKind strategy : {StrategyKind::kTensorParallel, StrategyKind::kTiny}) {
      options_.strategy.kind = strategy;
      model_ = strategy == StrategyKind::kTiny ? "16-9-7-3" : "16-70-40-3";
      const Outcome whole = Train({});
      ExpectSame(whole, Train({4, 9, 2}));
      options_.schedule.kind = optim::ScheduleKind::kConstant;
      const bool constant = kind == optim::ScheduleKind::kConstant;
      EXPECT_EQ(Train({}).parameters == whole.parameters, constant);
      options_.schedule.kind = kind;
    }
  }
}

TEST_F(ResumeTest, EveryDeterministicStrategy) {
  for (const StrategyKind kind : kStrategyKinds) {
    if (!IsDeterministic(kind)) continue;
    SCOPED_TRACE(std::string(Name(kind)));
    options_.strategy.kind = kind;
    model_ = kind == StrategyKind::kTiny ? "16-9-7-3" : "16-70-40-3";
    ExpectSame(Train({}), Train({10}));
  }
}

TEST_F(ResumeTest, AnEpochEndedEarlyIsNotDone) {
  model::Model model = NewModel();
  Trainer trainer = *Trainer::Create(options_, dataset_, model);
  StopAfter stop(3);
  const EpochSummary summary = *trainer.TrainEpoch(&stop);
  EXPECT_FALSE(summary.complete);
  EXPECT_EQ(summary.steps, 3u);
  EXPECT_EQ(summary.samples, 24u);
  EXPECT_EQ(trainer.epochs_done(), 0u);
  EXPECT_EQ(trainer.state().steps_done, 3u);
  EXPECT_EQ(trainer.state().optimizer_steps, 3);
}

TEST_F(ResumeTest, RefusesAStateOfAnotherTraining) {
  model::Model model = NewModel();
  Trainer trainer = *Trainer::Create(options_, dataset_, model);
  model::TrainingState state = trainer.state();
  state.steps_done = 7;  // an epoch has 7, so this one would be done
  EXPECT_EQ(trainer.Resume(state).message(),
            "steps of the epoch begun: expected less than 7, found 7");
  state = trainer.state();
  state.epochs_done = size_t{1} << 32;
  EXPECT_FALSE(trainer.Resume(state).ok());
  state = trainer.state();
  state.optimizer_states.pop_back();
  EXPECT_EQ(trainer.Resume(state).message(),
            "optimizer state: expected 2 arrays for adam, found 1");
  state = trainer.state();
  state.optimizer_states[0] = AlignedBuffer<float>(3);
  EXPECT_FALSE(trainer.Resume(state).ok());
}

}  // namespace
}  // namespace mlp::train
