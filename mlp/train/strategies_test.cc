// What gradient strategies have of their own; strategy_matrix_test.cc compares all with the
// textbook.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "mlp/base/largest_error.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/textbook.h"
#include "mlp/optim/textbook.h"
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

optim::OptimizerOptions OptionsOf(kernels::OptimizerKind kind) {
  // Rmsprop begins with three times its rate.
  const double rate = kind == kernels::OptimizerKind::kRmsProp ? 1e-3 : 1e-2;
  return {.kind = kind, .learning_rate = rate, .weight_decay = 0.1};
}

std::vector<float> TrainWith(const StrategyOptions& options, kernels::OptimizerKind kind,
                             const data::Examples& examples) {
  model::Model model(Spec(kModel), 7);
  optim::Optimizer optimizer(OptionsOf(kind), model.parameters().size());
  auto strategy = MakeStrategy(options, kBatch, model, optimizer);
  MLP_CHECK(strategy.ok());
  for (size_t step = 0; step < kSteps; ++step) {
    const std::vector<uint32_t> rows = Rows(step * kBatch, kBatch);
    (*strategy)->Step({&examples, rows});
  }
  (*strategy)->Store();
  return ParametersOf(model);
}

// The same in double.
std::vector<double> TrainReference(kernels::OptimizerKind kind, double clip_norm,
                                   const data::Examples& examples) {
  const model::Model start(Spec(kModel), 7);
  reference::Mlp mlp = model::Textbook(start.spec(), start.parameters());
  const std::unique_ptr<reference::Optimizer> optimizer = optim::Textbook(OptionsOf(kind));
  for (size_t row = 0; row < kSteps * kBatch; row += kBatch) {
    reference::Matrix x{kBatch, 20, std::vector<double>(kBatch * 20)};
    std::vector<int> labels(kBatch);
    for (size_t i = 0; i < kBatch; ++i) {
      for (size_t j = 0; j < 20; ++j) {
        x.data[i * 20 + j] = examples.pixels[(row + i) * 20 + j] / 255.0;
      }
      labels[i] = examples.labels[row + i];
    }
    mlp.Step(x, labels, *optimizer, clip_norm);
  }
  return mlp.parameters();
}

double LargestDifference(const std::vector<float>& a, const std::vector<double>& b) {
  LargestError largest;
  for (size_t i = 0; i < a.size(); ++i) largest.Add(std::abs(a[i] - b[i]));
  return largest.value();
}

class StrategyTest
    : public testing::TestWithParam<std::tuple<StrategyKind, kernels::OptimizerKind>> {
 protected:
  StrategyKind kind() const { return std::get<0>(GetParam()); }
  kernels::OptimizerKind optimizer() const { return std::get<1>(GetParam()); }
  const data::Examples examples_ = RandomExamples(kSteps * kBatch, 20, 4, 0);
};

// That of atomic, too, up to the order of sums, which its threads leave open.
TEST_P(StrategyTest, FollowsTheReferenceOnSeveralThreads) {
  // These make other steps.
  if (kind() == StrategyKind::kHogwild || kind() == StrategyKind::kPerSample) return;
  const std::vector<double> expected = TrainReference(optimizer(), 0, examples_);
  for (const int threads : {2, 3}) {
    const StrategyOptions options = {.kind = kind(), .threads = threads, .shards = 4};
    EXPECT_LT(LargestDifference(TrainWith(options, optimizer(), examples_), expected), 2e-5)
        << threads;
  }
}

// Nothing is promised of its numbers but that they learn; threads that meet badly may undo that of
// a step.
TEST(HogwildTest, LearnsOnSeveralThreads) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "races by design";
#endif
  const data::Examples examples = RandomExamples(kBatch, 20, 4, 0);
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    model::Model model(Spec(kModel), 7);
    optim::Optimizer optimizer(OptionsOf(kind), model.parameters().size());
    const auto strategy = MakeStrategy({.kind = StrategyKind::kHogwild, .threads = 2, .shards = 4},
                                       kBatch, model, optimizer)
                              .value();
    const std::vector<uint32_t> rows = Rows(0, kBatch);
    const double first = strategy->Step({&examples, rows}).loss();
    double least = first;
    for (size_t step = 0; step < 300; ++step) {
      least = std::min(least, strategy->Step({&examples, rows}).loss());
    }
    EXPECT_LT(least, 0.75 * first) << kernels::Name(kind);
  }
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
  const std::vector<double> expected = TrainReference(optimizer(), options.clip_norm, examples_);
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
