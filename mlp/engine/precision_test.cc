// What "as accurate as single precision" means: over the first thirty steps of the reference job
// each loss is that of the textbook in double to within 2e-6, where products have 24 significant
// bits, and looser by what looser ones are called. Not for longer: a unit that switches on a step
// sooner, and Adam's full steps for the smallest gradients, take all trainings apart in the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "mlp/base/largest_error.h"
#include "mlp/data/digits.h"
#include "mlp/engine/tensor_parallel.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/pairs/pairs.h"
#include "mlp/kernels/pairs/tile_emulation.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/model/textbook.h"
#include "mlp/optim/optimizer.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"

namespace mlp::engine {
namespace {

using kernels::Precision;

constexpr size_t kSteps = 30;
constexpr size_t kBatch = 32;
constexpr uint64_t kSeed = 1;

const data::Examples& Examples() {
  static const data::Dataset dataset = data::MakeDigits(kSeed, kSteps * kBatch, 1);
  return dataset.train;
}

model::Model Start() { return model::Model(*model::ParseModelSpec("784-128-128-128-10"), kSeed); }

std::vector<uint32_t> RowsOf(size_t step) {
  std::vector<uint32_t> rows(kBatch);
  std::iota(rows.begin(), rows.end(), static_cast<uint32_t>(step * kBatch));
  return rows;
}

const std::vector<double>& ReferenceLosses() {
  static const std::vector<double> losses = [] {
    const model::Model start = Start();
    reference::Mlp mlp = model::Textbook(start.spec(), start.parameters());
    reference::Adam adam({});
    std::vector<double> all;
    for (size_t step = 0; step < kSteps; ++step) {
      reference::Matrix x(kBatch, Examples().features);
      std::vector<int> labels;
      for (const uint32_t row : RowsOf(step)) {
        for (size_t j = 0; j < x.cols; ++j) {
          x(labels.size(), j) = Examples().pixels[row * x.cols + j] / 255.0;
        }
        labels.push_back(Examples().labels[row]);
      }
      all.push_back(mlp.Step(x, labels, adam));
    }
    return all;
  }();
  return losses;
}

// Largest relative deviation from the reference's losses.
double Deviation(const kernels::KernelSet& kernels, Precision precision, bool tiles,
                 bool skip_zeros = false) {
  model::Model model = Start();
  optim::Optimizer optimizer({}, model.parameters().size());
  TensorParallel engine(model, optimizer, kernels,
                        {.math = kernels::MathMode::kExact,
                         .precision = precision,
                         .tiles = tiles,
                         .shards = DefaultShards(model.spec()),
                         .max_batch = kBatch,
                         .skip_zeros = skip_zeros});
  LargestError largest;
  for (size_t step = 0; step < kSteps; ++step) {
    optimizer.BeginStep();
    const std::vector<uint32_t> rows = RowsOf(step);
    const double loss = engine.Steps({&Examples(), rows}, kBatch, {&optimizer.step(), 1}).loss();
    const double expected = ReferenceLosses()[step];
    largest.Add(std::abs(loss - expected) / expected);
  }
  return largest.value();
}

struct Bound {
  Precision precision;
  double deviation;
};
constexpr Bound kBounds[] = {{Precision::kFp32, 2e-6},
                             {Precision::kSplit3, 2e-6},
                             {Precision::kBf16x3, 1e-4},
                             {Precision::kBf16, 0.1}};

class PrecisionTest : public testing::TestWithParam<Bound> {};

TEST_P(PrecisionTest, FollowsTheReferenceOnEveryTarget) {
  const auto [precision, bound] = GetParam();
  for (const kernels::Target& target : kernels::SupportedTargets()) {
    const kernels::KernelSet& kernels = kernels::KernelsFor(target);
    if (kernels.panel == nullptr) continue;
    EXPECT_LT(Deviation(kernels, precision, /*tiles=*/false), bound) << kernels::Name(target);
    EXPECT_LT(Deviation(kernels, precision, /*tiles=*/false, /*skip_zeros=*/true), bound)
        << kernels::Name(target) << ", zeros skipped";
    if (precision == Precision::kFp32 || target.isa != Isa::kAvx512) continue;
    kernels::KernelSet emulated = kernels;
    emulated.tiles = &kernels::EmulatedTilePairTable();
    EXPECT_LT(Deviation(emulated, precision, /*tiles=*/true), bound) << "emulated tiles";
    EXPECT_LT(Deviation(emulated, precision, /*tiles=*/true, /*skip_zeros=*/true), bound)
        << "emulated tiles, zeros skipped";
  }
}

INSTANTIATE_TEST_SUITE_P(, PrecisionTest, testing::ValuesIn(kBounds),
                         [](const auto& info) { return std::string(Name(info.param.precision)); });

}  // namespace
}  // namespace mlp::engine
