// Nothing is allocated within a training step or a prediction (rule R7).
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <numeric>

#include "mlp/base/profile.h"
#include "mlp/engine/inference.h"
#include "mlp/kernels/kernels.h"
#include "mlp/train/strategies/strategy.h"
#include "mlp/train/testing.h"

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

TEST(AllocationTest, NoStepOfAnyStrategyOnAnyTargetAllocates) {
  const data::Examples examples = RandomExamples(64, 784, 10, 0);
  std::vector<uint32_t> rows(64);
  std::iota(rows.begin(), rows.end(), 0);
  Profile profile(2, 4);
  for (const kernels::Target& target : kernels::SupportedTargets()) {
    for (const StrategyKind kind : kStrategyKinds) {
      model::Model model(Spec(kind == StrategyKind::kTiny ? "784-2-10" : "784-128-128-128-10"), 1);
      if (!CanTrain(kind, target, {model.spec()})) continue;
      optim::Optimizer optimizer({}, model.parameters().size());
      const double clip_norm = HoldsWholeGradient(kind) ? 1 : 0;
      auto strategy = MakeStrategy({.kind = kind,
                                    .target = target,
                                    .threads = 2,
                                    .clip_norm = clip_norm,
                                    .profile = &profile},
                                   64, model, optimizer);
      ASSERT_TRUE(strategy.ok()) << strategy.status().message();
      // The first step may start threads.
      (*strategy)->Step({&examples, rows});
      const long before = allocations;
      for (int step = 0; step < (kind == StrategyKind::kPerSample ? 2 : 20); ++step) {
        (*strategy)->Step({&examples, std::span(rows).first(64 - step % 3)});
      }
      EXPECT_EQ(allocations - before, 0) << Name(kind) << " on " << kernels::Name(target);
    }
  }
}

TEST(AllocationTest, NoStepOfAnyPrecisionAllocates) {
  const data::Examples examples = RandomExamples(64, 784, 10, 0);
  std::vector<uint32_t> rows(64);
  std::iota(rows.begin(), rows.end(), 0);
  for (const kernels::Target& target : kernels::SupportedTargets()) {
    if (!CanTrain(StrategyKind::kTensorParallel, target, {Spec("784-128-128-10")})) continue;
    for (const kernels::Precision precision : kernels::kPrecisions) {
      model::Model model(Spec("784-128-128-10"), 1);
      optim::Optimizer optimizer({}, model.parameters().size());
      auto strategy = MakeStrategy({.target = target, .threads = 2, .precision = precision}, 64,
                                   model, optimizer);
      ASSERT_TRUE(strategy.ok()) << strategy.status().message();
      (*strategy)->Step({&examples, rows});
      const long before = allocations;
      for (int step = 0; step < 9; ++step) {
        (*strategy)->Step({&examples, std::span(rows).first(64 - step % 3)});
      }
      EXPECT_EQ(allocations - before, 0)
          << kernels::Name(precision) << " on " << kernels::Name(target);
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

// One long count on the default path, without a profile.
TEST(AllocationTest, AHundredStepsAllocateNothing) {
  const data::Examples examples = RandomExamples(128, 784, 10, 0);
  std::vector<uint32_t> rows(128);
  std::iota(rows.begin(), rows.end(), 0);
  model::Model model(Spec("784-128-128-128-10"), 1);
  optim::Optimizer optimizer({}, model.parameters().size());
  auto strategy = MakeStrategy({.threads = 2}, 128, model, optimizer);
  (*strategy)->Step({&examples, rows});
  const long before = allocations;
  for (int step = 0; step < 100; ++step) (*strategy)->Step({&examples, rows});
  EXPECT_EQ(allocations - before, 0);
}

}  // namespace
}  // namespace mlp::train
