// What every gradient strategy does to the weights, against the textbook in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "mlp/kernels/kernels.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"
#include "mlp/train/strategies/strategy.h"
#include "mlp/train/testing.h"

namespace mlp::train {
namespace {

constexpr char kModel[] = "20-17-tanh-9-silu-33-4";
constexpr size_t kBatch = 13;
constexpr size_t kSteps = 3;

std::vector<uint32_t> Rows(size_t begin, size_t n) {
  std::vector<uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), static_cast<uint32_t>(begin));
  return rows;
}

std::vector<float> TrainWith(const StrategyOptions& options, kernels::OptimizerKind kind,
                             const data::Examples& examples, double* loss = nullptr) {
  model::Model model(Spec(kModel), 7);
  optim::Optimizer optimizer({.kind = kind, .learning_rate = 0.01, .weight_decay = 0.1},
                             model.parameters().size());
  auto strategy = MakeStrategy(options, kBatch, model, optimizer);
  MLP_CHECK(strategy.ok());
  engine::StepResult sum;
  for (size_t step = 0; step < kSteps; ++step) {
    const std::vector<uint32_t> rows = Rows(step * kBatch, kBatch);
    sum += (*strategy)->Step({&examples, rows});
  }
  (*strategy)->Store();
  if (loss != nullptr) *loss = sum.loss();
  return ParametersOf(model);
}

// The same in double; rows_per_update 1 for per_sample. loss: mean over all samples.
std::vector<double> TrainReference(kernels::OptimizerKind kind, size_t rows_per_update,
                                   double clip_norm, const data::Examples& examples, double* loss) {
  using reference::Activation;
  const model::Model start(Spec(kModel), 7);
  const std::vector<double> parameters(start.parameters().begin(), start.parameters().end());
  reference::Mlp mlp(
      {20, 17, 9, 33, 4},
      {Activation::kTanh, Activation::kSilu, Activation::kRelu, Activation::kIdentity}, parameters);
  reference::Sgd sgd({.learning_rate = 0.01, .weight_decay = 0.1});
  reference::Adam adam({.learning_rate = 0.01, .weight_decay = 0.1});
  reference::Optimizer& optimizer = kind == kernels::OptimizerKind::kAdam
                                        ? static_cast<reference::Optimizer&>(adam)
                                        : static_cast<reference::Optimizer&>(sgd);
  double sum = 0;
  for (size_t row = 0; row < kSteps * kBatch; row += rows_per_update) {
    reference::Matrix x{rows_per_update, 20, std::vector<double>(rows_per_update * 20)};
    std::vector<int> labels(rows_per_update);
    for (size_t i = 0; i < rows_per_update; ++i) {
      for (size_t j = 0; j < 20; ++j) {
        x.data[i * 20 + j] = examples.pixels[(row + i) * 20 + j] / 255.0;
      }
      labels[i] = examples.labels[row + i];
    }
    sum += mlp.Step(x, labels, optimizer, clip_norm) * static_cast<double>(rows_per_update);
  }
  *loss = sum / static_cast<double>(kSteps * kBatch);
  return mlp.parameters();
}

double LargestDifference(const std::vector<float>& a, const std::vector<double>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

class StrategyTest
    : public testing::TestWithParam<std::tuple<StrategyKind, kernels::OptimizerKind>> {
 protected:
  StrategyKind kind() const { return std::get<0>(GetParam()); }
  kernels::OptimizerKind optimizer() const { return std::get<1>(GetParam()); }
  // Those that can run it.
  std::vector<kernels::Target> Targets() const {
    std::vector<kernels::Target> targets = kernels::SupportedTargets();
    std::erase_if(targets,
                  [&](const kernels::Target& t) { return !CanTrain(kind(), t, {Spec(kModel)}); });
    return targets;
  }
  const data::Examples examples_ = RandomExamples(kSteps * kBatch, 20, 4, 0);
};

TEST_P(StrategyTest, FollowsTheReference) {
  const size_t rows_per_update = kind() == StrategyKind::kPerSample ? 1 : kBatch;
  double expected_loss;
  const std::vector<double> expected =
      TrainReference(optimizer(), rows_per_update, 0, examples_, &expected_loss);
  for (const kernels::Target& target : Targets()) {
    // Several shards change what hogwild computes.
    for (const auto& [shards, threads] : {std::pair(1, 1), std::pair(3, 1), std::pair(3, 2)}) {
      if (shards > 1 && kind() == StrategyKind::kHogwild) continue;
      double loss;
      const std::vector<float> actual = TrainWith({.kind = kind(),
                                                   .target = target,
                                                   .threads = threads,
                                                   .shards = static_cast<size_t>(shards),
                                                   .micro_batches = 3},
                                                  optimizer(), examples_, &loss);
      EXPECT_NEAR(loss, expected_loss, 2e-6) << kernels::Name(target);
      EXPECT_LT(LargestDifference(actual, expected), 2e-5)
          << kernels::Name(target) << " shards=" << shards << " threads=" << threads;
    }
  }
}

TEST_P(StrategyTest, BitsDoNotDependOnTheNumberOfThreads) {
  if (!IsDeterministic(kind())) return;
  for (const kernels::Target& target : Targets()) {
    const auto train = [&](int threads) {
      return TrainWith({.kind = kind(), .target = target, .threads = threads, .shards = 3},
                       optimizer(), examples_);
    };
    const std::vector<float> expected = train(1);
    for (const int threads : {2, 3, 8}) {
      EXPECT_EQ(train(threads), expected) << kernels::Name(target) << " threads=" << threads;
    }
  }
}

// The named exceptions: not the same bits, but the same training.
TEST_P(StrategyTest, RunsOnSeveralThreads) {
#if defined(__SANITIZE_THREAD__)
  if (kind() == StrategyKind::kHogwild) GTEST_SKIP() << "races by design";
#endif
  double expected, actual;
  TrainWith({.kind = kind(), .threads = 1, .shards = 2}, optimizer(), examples_, &expected);
  TrainWith({.kind = kind(), .threads = 2, .shards = 2}, optimizer(), examples_, &actual);
  EXPECT_NEAR(actual, expected, 0.05);
}

TEST_P(StrategyTest, ClipsWhereItHoldsTheWholeGradient) {
  const StrategyOptions options = {.kind = kind(), .clip_norm = 0.05};
  if (!HoldsWholeGradient(kind())) {
    model::Model model(Spec(kModel), 7);
    optim::Optimizer optimizer({}, model.parameters().size());
    const auto strategy = MakeStrategy(options, kBatch, model, optimizer);
    EXPECT_EQ(strategy.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(strategy.status().message().find("--strategy=materialized"), std::string::npos);
    return;
  }
  double loss;
  const std::vector<double> expected =
      TrainReference(optimizer(), kBatch, options.clip_norm, examples_, &loss);
  EXPECT_LT(LargestDifference(TrainWith(options, optimizer(), examples_), expected), 2e-5);
}

INSTANTIATE_TEST_SUITE_P(, StrategyTest,
                         testing::Combine(testing::ValuesIn(kStrategyKinds),
                                          testing::ValuesIn(kernels::kOptimizerKinds)),
                         [](const auto& info) {
                           return std::string(Name(std::get<0>(info.param))) + "_" +
                                  std::string(Name(std::get<1>(info.param)));
                         });

// The order of all sums is then the same: two engines that share no code for products agree to the
// last bit.
TEST(TensorParallelTest, WithOneShardComputesTheBitsOfFused) {
  const data::Examples examples = RandomExamples(kSteps * kBatch, 20, 4, 0);
  for (const kernels::OptimizerKind optimizer : kernels::kOptimizerKinds) {
    for (const kernels::Target& target : kernels::SupportedTargets()) {
      if (!CanTrain(StrategyKind::kTensorParallel, target, {Spec(kModel)})) continue;
      const auto train = [&](StrategyKind kind) {
        return TrainWith({.kind = kind, .target = target, .shards = 1}, optimizer, examples);
      };
      EXPECT_EQ(train(StrategyKind::kTensorParallel), train(StrategyKind::kFused))
          << kernels::Name(target);
    }
  }
}

TEST(StrategyNamesTest, AreReadBackAndListed) {
  for (const StrategyKind kind : kStrategyKinds) EXPECT_EQ(*ParseStrategyKind(Name(kind)), kind);
  EXPECT_NE(ParseStrategyKind("magic").status().message().find("thread_private"),
            std::string::npos);
}

}  // namespace
}  // namespace mlp::train
