// Nothing is allocated within a training step or a prediction (rule R7).
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mlp/base/profile.h"
#include "mlp/engine/inference.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/update/update.h"
#include "mlp/optim/optimizer.h"
#include "mlp/optim/schedule.h"
#include "mlp/train/callback.h"
#include "mlp/train/strategies/strategy.h"
#include "mlp/train/testing.h"
#include "mlp/train/trainer.h"

namespace {

std::atomic<long> allocations = 0;

}  // namespace

// The C library's own names for its allocator; operator new and Eigen end here, too.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void* __libc_calloc(size_t n, size_t size);
void* __libc_realloc(void* old, size_t size);

void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(size_t n, size_t size) {
  ++allocations;
  return __libc_calloc(n, size);
}
void* realloc(void* old, size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** result, size_t alignment, size_t size) {
  ++allocations;
  *result = __libc_memalign(alignment, size);
  return 0;
}
}

namespace mlp::train {
namespace {

TEST(AllocationTest, TheCounterCounts) {
  const long before = allocations;
  // Direct calls: a compiler may leave out a new and its delete.
  ::operator delete(::operator new(1));
  void* volatile block = std::malloc(100);
  std::free(block);
  EXPECT_GE(allocations - before, 2);
}

constexpr size_t kFeatures = 40;
constexpr size_t kBatch = 16;
constexpr int kSteps = 100;

// Mostly zeros, as pictures are; labels fit every loss.
data::Dataset SparseDataset(size_t size) {
  data::Dataset dataset = RandomDataset(size, /*test=*/10, kFeatures, /*classes=*/2);
  for (size_t i = 0; i < dataset.train.pixels.size(); ++i) {
    if (i % 5 != 0) dataset.train.pixels[i] = 0;
  }
  return dataset;
}

struct Case {
  std::string model;
  kernels::OptimizerKind optimizer = kernels::OptimizerKind::kAdam;
  StrategyOptions strategy;
};

std::string Label(const Case& c) {
  return absl::StrCat(c.model, ", ", kernels::Name(c.optimizer), ", ", c.strategy.KindName(), ", ",
                      kernels::Name(c.strategy.target), ", ", kernels::Name(c.strategy.math), ", ",
                      kernels::Name(c.strategy.precision),
                      ", skip_zeros=", c.strategy.skip_zeros.value_or(false));
}

// What kSteps steps allocate, of whole batches, smaller ones, and several at once.
void ExpectNoAllocations(const Case& c, const data::Examples& examples) {
  std::vector<uint32_t> rows(4 * kBatch);
  std::iota(rows.begin(), rows.end(), 0);
  model::Model model(Spec(c.model), 1);
  optim::Optimizer optimizer({.kind = c.optimizer}, model.parameters().size());
  auto strategy = MakeStrategy(c.strategy, kBatch, model, optimizer);
  ASSERT_TRUE(strategy.ok()) << strategy.status().message();
  // The first step may start threads.
  (*strategy)->Step({&examples, std::span(rows).first(kBatch)});
  const long before = allocations;
  for (int step = 0; step < kSteps;) {
    if (step % 8 == 4 && (*strategy)->steps_at_once() >= 4) {
      // The last of four is smaller.
      (*strategy)->Steps({&examples, std::span(rows).first(4 * kBatch - 1)}, kBatch);
      step += 4;
    } else {
      (*strategy)->Step({&examples, std::span(rows).first(kBatch - static_cast<size_t>(step % 3))});
      ++step;
    }
  }
  EXPECT_EQ(allocations - before, 0) << Label(c);
}

TEST(AllocationTest, NoStepOfAnyStrategyOnAnyTargetAllocates) {
  const data::Dataset dataset = SparseDataset(4 * kBatch);
  Profile profile(2, 3);
  for (const kernels::Target& target : kernels::SupportedTargets()) {
    for (const StrategyKind kind : kStrategyKinds) {
      for (const kernels::OptimizerKind optimizer : kernels::kOptimizerKinds) {
        for (const kernels::MathMode math : {kernels::MathMode::kExact, kernels::MathMode::kFast}) {
          Case c = {"40-24-tanh-16-10", optimizer, {.kind = kind, .target = target}};
          if (!CanTrain(kind, target, {Spec(c.model)})) continue;
          // Each target's exact Adam and fast SGD; the best target's others, too.
          const bool adam = optimizer == kernels::OptimizerKind::kAdam;
          const bool exact = math == kernels::MathMode::kExact;
          if (adam != exact && target != kernels::SupportedTargets().back()) continue;
          c.strategy.math = math;
          c.strategy.threads = 2;
          c.strategy.clip_norm = HoldsWholeGradient(kind) ? 1 : 0;
          c.strategy.profile = math == kernels::MathMode::kFast ? &profile : nullptr;
          ExpectNoAllocations(c, dataset.train);
        }
      }
    }
  }
}

TEST(AllocationTest, NoLossAllocates) {
  const data::Dataset dataset = SparseDataset(4 * kBatch);
  for (const StrategyKind kind : kStrategyKinds) {
    for (const char* model : {"40-16-16-1", "40-16-16-2", "40-16-16-3-linear"}) {
      if (!CanTrain(kind, {}, {Spec(model)})) continue;
      ExpectNoAllocations({model, {}, {.kind = kind, .threads = 2}}, dataset.train);
    }
  }
}

TEST(AllocationTest, NoPrecisionAllocatesNorDoesSkippingZeros) {
  const data::Dataset dataset = SparseDataset(4 * kBatch);
  for (const kernels::Target& target : kernels::SupportedTargets()) {
    Case c = {"40-64-32-10", {}, {.kind = StrategyKind::kTensorParallel, .target = target}};
    if (!CanTrain(*c.strategy.kind, target, {Spec(c.model)})) continue;
    c.strategy.threads = 2;
    for (const kernels::Precision precision : kernels::kPrecisions) {
      c.strategy.precision = precision;
      ExpectNoAllocations(c, dataset.train);
    }
    c.strategy.precision = kernels::Precision::kFp32;
    c.strategy.skip_zeros = true;
    ExpectNoAllocations(c, dataset.train);
  }
}

// Counts from the first step of an epoch to its last.
class StepCounter final : public Callback {
 public:
  Next OnStep(const StepSummary&) override {
    last_ = allocations;
    if (first_ < 0) first_ = last_;
    ++calls_;
    return Next::kContinue;
  }
  long allocated() const { return last_ - first_; }
  int calls() const { return calls_; }

 private:
  long first_ = -1;
  long last_ = -1;
  int calls_ = 0;
};

// Batches, learning rates and sums included. The default skips zeros here.
TEST(AllocationTest, NoStepOfATrainerAllocates) {
  const data::Dataset dataset = SparseDataset(kSteps * kBatch - 3);
  for (const StrategyKind kind : kStrategyKinds) {
    for (const auto schedule : {optim::ScheduleKind::kConstant, optim::ScheduleKind::kCosine}) {
      TrainOptions options;
      options.batch_size = kBatch;
      options.schedule.kind = schedule;
      options.strategy.kind = kind;
      options.strategy.threads = 2;
      model::Model model(Spec("40-24-16-10"), 1);
      if (!CanTrain(kind, {}, {model.spec()})) continue;
      auto trainer = Trainer::Create(options, dataset, model);
      ASSERT_TRUE(trainer.ok()) << trainer.status();
      EXPECT_EQ(trainer->options().strategy.skip_zeros, kind == StrategyKind::kTensorParallel);
      ASSERT_TRUE(trainer->TrainEpoch().ok());  // may start threads
      StepCounter counter;
      ASSERT_TRUE(trainer->TrainEpoch(&counter).ok());
      EXPECT_GT(counter.calls(), 1) << Name(kind);
      EXPECT_EQ(counter.allocated(), 0) << Name(kind);
    }
  }
}

TEST(AllocationTest, NoPredictionOnAnyTargetAllocates) {
  const data::Examples examples = RandomExamples(200, 784, 10, 0);
  std::vector<uint32_t> rows(200);
  std::iota(rows.begin(), rows.end(), 0);
  for (const kernels::Target& target : kernels::SupportedTargets()) {
    const model::Model model(Spec("784-128-tanh-30-10"), 1);
    engine::Inference engine(model, kernels::KernelsFor(target), {.max_batch = 200, .threads = 2});
    const auto predict = [&](size_t n) {
      engine.Predict(engine::Inputs::Of(examples, std::span(rows).first(n)));
      engine.Predict(examples.pixels.span().first(n * 784));
      engine.Probabilities();
      engine.Classes();
      engine.Score(examples.labels.span().first(n));
    };
    // The first call may start threads.
    predict(200);
    const long before = allocations;
    for (const size_t n : {1, 2, 63, 64, 65, 200}) predict(n);
    EXPECT_EQ(allocations - before, 0) << kernels::Name(target);
  }
}

}  // namespace
}  // namespace mlp::train
