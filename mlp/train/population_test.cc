#include "mlp/train/population.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <set>
#include <string>

#include "mlp/train/testing.h"

namespace mlp::train {
namespace {

Member MemberOf(const std::string& spec, uint64_t seed, StrategyKind kind, double learning_rate) {
  Member member = {Spec(spec), {}};
  member.options.epochs = 2;
  member.options.batch_size = 16;
  member.options.seed = seed;
  member.options.optimizer.learning_rate = learning_rate;
  member.options.strategy.kind = kind;
  member.options.strategy.threads = 2;
  return member;
}

std::vector<Member> Members() {
  return {MemberOf("20-64-10", 1, StrategyKind::kTensorParallel, 1e-3),
          MemberOf("20-96-64-10", 1, StrategyKind::kTensorParallel, 1e-2),
          MemberOf("20-16-tanh-10", 2, StrategyKind::kFused, 1e-3),
          // Its sums depend on the number of shards, and that on the member's number of threads.
          MemberOf("20-16-10", 3, StrategyKind::kThreadPrivate, 1e-3),
          MemberOf("20-64-10", 4, StrategyKind::kTensorParallel, 1e-3)};
}

TEST(PopulationTest, EachMemberHasTheBitsOfATrainingOfItsOwn) {
  const data::Dataset dataset = RandomDataset(100, 30, 20, 10);
  const std::vector<Member> members = Members();
  for (const int threads : {1, 2, 3, 8}) {
    const std::vector<MemberResult> results = TrainPopulation(dataset, members, threads);
    ASSERT_EQ(results.size(), members.size());
    for (size_t i = 0; i < members.size(); ++i) {
      model::Model model(members[i].spec, members[i].options.seed);
      auto trainer = Trainer::Create(members[i].options, dataset, model);
      ASSERT_TRUE(trainer.ok());
      const auto epochs = trainer->Train();
      ASSERT_TRUE(epochs.ok());
      ASSERT_TRUE(results[i].status.ok()) << results[i].status;
      EXPECT_EQ(ParametersOf(*results[i].model), ParametersOf(model)) << i << ", " << threads;
      ASSERT_EQ(results[i].epochs.size(), epochs->size());
      for (size_t e = 0; e < epochs->size(); ++e) {
        EXPECT_EQ(results[i].epochs[e].train_loss, (*epochs)[e].train_loss);
      }
      EXPECT_EQ(results[i].test.loss, trainer->Test().loss);
      EXPECT_EQ(results[i].test.accuracy, trainer->Test().accuracy);
    }
  }
}

TEST(PopulationTest, AMemberThatCannotBeTrainedLeavesTheOthersAlone) {
  const data::Dataset dataset = RandomDataset(100, 30, 20, 10);
  std::vector<Member> members = Members();
  members[1].spec = Spec("21-8-10");
  members[3].options.optimizer.learning_rate = 1e30;
  const std::vector<MemberResult> results = TrainPopulation(dataset, members, 2);
  EXPECT_EQ(results[1].status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(results[1].status.message().find("--model"), absl::string_view::npos);
  EXPECT_EQ(results[3].status.code(), absl::StatusCode::kAborted) << results[3].status;
  for (const size_t i : {0, 2, 4}) {
    EXPECT_TRUE(results[i].status.ok());
    EXPECT_EQ(results[i].test.samples, 30u);
  }
}

TEST(PopulationTest, TellsOfEveryEpochOneCallAtATime) {
  const data::Dataset dataset = RandomDataset(100, 30, 20, 10);
  std::multiset<size_t> epochs;
  std::atomic<int> inside = 0;
  TrainPopulation(dataset, Members(), 3, [&](size_t member, const EpochSummary& epoch) {
    EXPECT_EQ(++inside, 1);
    EXPECT_TRUE(std::isfinite(epoch.train_loss));
    epochs.insert(member);
    --inside;
    return Next::kContinue;
  });
  for (size_t i = 0; i < Members().size(); ++i) EXPECT_EQ(epochs.count(i), 2u) << i;
}

TEST(PopulationTest, CanBeStopped) {
  const data::Dataset dataset = RandomDataset(100, 30, 20, 10);
  const std::vector<MemberResult> results = TrainPopulation(
      dataset, Members(), 1, [](size_t, const EpochSummary&) { return Next::kStop; });
  int begun = 0;
  for (const MemberResult& result : results) {
    begun += result.epochs.size() == 1;
    if (result.epochs.empty()) {
      EXPECT_EQ(result.status.code(), absl::StatusCode::kCancelled);
      EXPECT_FALSE(result.model);
    }
  }
  EXPECT_EQ(begun, 1);
}

TEST(PopulationTest, NobodyIsAPopulation) {
  EXPECT_TRUE(TrainPopulation(RandomDataset(10, 10, 20, 10), {}, 2).empty());
}

}  // namespace
}  // namespace mlp::train
