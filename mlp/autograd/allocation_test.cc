// Nothing is allocated while a tape records, is swept and rewound (rule R7).
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>
#include <vector>

#include "mlp/autograd/tape.h"
#include "mlp/autograd/training.h"
#include "mlp/data/dataset.h"

namespace {

long allocations = 0;

}  // namespace

// The C library's own names for its allocator; operator new ends here, too.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
}

namespace mlp::autograd {
namespace {

TEST(AllocationTest, TheCounterCounts) {
  const long before = allocations;
  // A direct call: a compiler may leave out a new and its delete.
  ::operator delete(::operator new(1));
  EXPECT_EQ(allocations - before, 1);
}

// The first step has the buffers that the others use again.
template <class T>
void ExpectNoneInAHundredSteps(const TrainingOptions& options) {
  data::Examples examples;
  examples.size = 40;
  examples.features = options.widths.front();
  examples.values = AlignedBuffer<float>(examples.size * examples.features);
  examples.labels = AlignedBuffer<uint8_t>(examples.size);
  std::vector<uint32_t> rows(examples.size);
  std::iota(rows.begin(), rows.end(), 0u);
  ValueTraining<T> training(options);
  training.TrainStep(examples, rows);
  const long before = allocations;
  for (int step = 0; step < 100; ++step) training.TrainStep(examples, std::span(rows).first(5));
  EXPECT_EQ(allocations - before, 0);
}

TEST(AllocationTest, AHundredTrainingStepsAllocateNothing) {
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    for (const double dropout : {0.0, 0.3}) {
      TrainingOptions options;
      options.widths = {20, 12, 5};
      options.optimizer.kind = kind;
      options.dropout = dropout;
      options.l2 = 1e-3;
      ExpectNoneInAHundredSteps<float>(options);
      ExpectNoneInAHundredSteps<double>(options);
      ExpectNoneInAHundredSteps<tape::Pack16f>(options);
    }
  }
}

TEST(AllocationTest, AMillionCyclesAllocateNothing) {
  Tape<double> tape;
  const Value<double> x = 3.0;
  const TapeMark mark = tape.Mark();
  long before = 0;
  for (int i = 0; i <= 1'000'000; ++i) {
    if (i == 1) before = allocations;
    tape.Rewind(mark);
    Value<double> s = 1.0;
    for (int k = 0; k < 4; ++k) s += x * x;
    s += x;
    s += s;
    tape.Backward(exp(-s) * x);
  }
  EXPECT_EQ(allocations - before, 0);
}

}  // namespace
}  // namespace mlp::autograd
