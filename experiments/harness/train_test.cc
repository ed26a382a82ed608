#include "experiments/harness/train.h"

#include <gtest/gtest.h>

#include "experiments/harness/oracle.h"
#include "mlp/data/digits.h"

namespace mlp::experiments {
namespace {

class TrainTest : public testing::Test {
 protected:
  Session MakeSession(int repetition = 0) {
    return Session(dataset_, spec_, options_, repetition, /*smoke=*/false);
  }

  const data::Dataset dataset_ = data::MakeDigits(1, 300, 100);
  const model::ModelSpec spec_ = *model::ParseModelSpec("784-16-10");
  const train::TrainOptions options_ = [] {
    train::TrainOptions options;
    options.epochs = 2;
    options.batch_size = 32;
    options.seed = 11;
    return options;
  }();
};

TEST_F(TrainTest, ARepetitionHasASeedOfItsOwn) {
  EXPECT_EQ(MakeSession(0).seed(), 11u);
  EXPECT_EQ(MakeSession(3).seed(), 14u);
}

TEST_F(TrainTest, EpochsAreRecorded) {
  const Session session = MakeSession();
  record::RunRecord run;
  run.params["batch_size"] = 99.0;
  const auto training =
      TrainEpochs(session, options_, run,
                  {.evaluations_per_epoch = 2, .target_accuracy = 1e-9, .step_losses = 3});
  ASSERT_TRUE(training.ok()) << training.status();
  EXPECT_EQ(training->step_losses.size(), 3u);
  for (const char* key : {"step_s", "epoch_s", "samples_per_s"}) {
    EXPECT_EQ(run.timings.at(key).size(), 2u) << key;
  }
  ASSERT_EQ(run.curve.size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(run.curve[i].at("epoch"), 0.5 * (1 + i));
  EXPECT_EQ(run.timings.at("time_to_accuracy_s")[0], run.curve[0].at("train_s"));
  EXPECT_EQ(run.metrics.at("test_accuracy"), run.curve[3].at("test_accuracy"));
  EXPECT_LT(run.curve[3].at("train_loss"), run.curve[0].at("train_loss"));
  EXPECT_EQ(run.params.at("batch_size"), record::Scalar(99.0)) << "the variant's own word";
  EXPECT_EQ(run.resolved.count("panel"), 1u);
}

TEST_F(TrainTest, ATargetOutOfReachLeavesNoTime) {
  record::RunRecord run;
  ASSERT_TRUE(TrainEpochs(MakeSession(), options_, run, {.target_accuracy = 1.1}).ok());
  EXPECT_EQ(run.timings.count("time_to_accuracy_s"), 0u);
}

TEST_F(TrainTest, DivergenceInTheLastUpdateIsAFailure) {
  train::TrainOptions options = options_;
  options.epochs = 1;
  options.batch_size = 300;
  options.optimizer = {.kind = kernels::OptimizerKind::kSgd, .learning_rate = 1e38};
  record::RunRecord run;
  const absl::Status status = TrainEpochs(MakeSession(), options, run).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
}

TEST_F(TrainTest, TooLargeAModelIsAFailure) {
  const model::ModelSpec spec = *model::ParseModelSpec("784-20000-20000-10");
  train::TrainOptions options = options_;
  options.strategy.kind = train::StrategyKind::kThreadPrivate;
  options.strategy.shards = 1024;
  record::RunRecord run;
  const Session session(dataset_, spec, options, /*repetition=*/0, /*smoke=*/false);
  EXPECT_EQ(TrainEpochs(session, options, run).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(TrainTest, StepsAreTimedOneByOneWithoutThoseOfPartBatches) {
  record::RunRecord run;
  // An epoch is nine full batches and one of 12 samples.
  const auto training = TrainSteps(MakeSession(), options_, 12, run, {.step_losses = true});
  ASSERT_TRUE(training.ok()) << training.status();
  EXPECT_EQ(run.timings.at("step_s").size(), 12u);
  EXPECT_EQ(training->step_losses.size(), 5u + 12u + 1u);
  EXPECT_GT(run.timings.at("samples_per_s")[0], 0);
}

TEST_F(TrainTest, StepsWhoseLossesNobodyAsksForAreTakenAtOnce) {
  record::RunRecord run, same;
  const auto training = TrainSteps(MakeSession(), options_, 12, run);
  ASSERT_TRUE(training.ok()) << training.status();
  EXPECT_TRUE(training->step_losses.empty());
  // Those left of the first epoch and those of the second.
  EXPECT_EQ(run.timings.at("step_s").size(), 2u);
  ASSERT_TRUE(TrainSteps(MakeSession(), options_, 12, same, {.step_losses = true}).ok());
  EXPECT_DOUBLE_EQ(run.metrics.at("train_loss"), same.metrics.at("train_loss"));
}

TEST_F(TrainTest, EqualSeedsGiveEqualLosses) {
  record::RunRecord unused;
  const auto train = [&](int repetition) {
    const Session session = MakeSession(repetition);
    return TrainSteps(session, session.DefaultTrainOptions(), 5, unused, {.step_losses = true});
  };
  const auto first = train(1);
  const auto second = train(1);
  const auto third = train(2);
  EXPECT_EQ(first->step_losses, second->step_losses);
  EXPECT_NE(first->step_losses, third->step_losses);
}

TEST_F(TrainTest, DivergenceIsAnError) {
  train::TrainOptions options = options_;
  options.optimizer.kind = kernels::OptimizerKind::kSgd;
  options.optimizer.learning_rate = 1e30;
  record::RunRecord run;
  const auto training = TrainEpochs(MakeSession(), options, run);
  EXPECT_EQ(training.status().code(), absl::StatusCode::kAborted);
}

TEST_F(TrainTest, TheOracleFollowsTheSameBatches) {
  const Session session = MakeSession();
  const Oracle& oracle = TrainReference(session, options_, 13, 50);
  record::RunRecord run;
  const auto training = TrainSteps(session, options_, 7, run, {.step_losses = true});
  ASSERT_TRUE(training.ok()) << training.status();
  ASSERT_EQ(training->step_losses.size(), 13u);  // 5 + 7, and a part batch
  EXPECT_LT(LossDeviation(training->step_losses, oracle.step_losses), 1e-4);
  EXPECT_LT(WeightDeviation(*training->model, oracle), 1e-2);
  EXPECT_GE(PredictionAgreementPct(session, options_, *training->model, oracle), 98);
  EXPECT_EQ(&oracle, &TrainReference(session, options_, 13, 50)) << "kept";

  const Session other = MakeSession(1);
  EXPECT_GT(LossDeviation(training->step_losses,
                          TrainReference(other, other.DefaultTrainOptions(), 13, 50).step_losses),
            1e-3)
      << "another seed is another trajectory";
}

}  // namespace
}  // namespace mlp::experiments
