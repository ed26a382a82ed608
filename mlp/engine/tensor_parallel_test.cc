// Steps of random stacks, on every instruction set of this CPU, in any number of shards, against
// the textbook; and the same bits on any number of threads.
#include "mlp/engine/tensor_parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mlp/base/largest_error.h"
#include "mlp/base/rng.h"
#include "mlp/data/packing_testing.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/pairs/pairs.h"
#include "mlp/kernels/pairs/tile_emulation.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/model/textbook.h"
#include "mlp/optim/optimizer.h"
#include "mlp/optim/textbook.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"

namespace mlp::engine {
namespace {

constexpr size_t kExamples = 300;
// Around whole words of rows, and the largest.
constexpr uint32_t kBatches[] = {1, 2, 63, 64, 65, 128, 130, 256, 257};

// A step of Adam is as long as any other however small its gradient is, so that it would show the
// rounding of gradients next to 0 alone. With such an epsilon it is the shorter, too.
optim::OptimizerOptions OptimizerOf(kernels::OptimizerKind kind) {
  const bool divides =
      kind == kernels::OptimizerKind::kRmsProp || kind == kernels::OptimizerKind::kAdam;
  return {.kind = kind, .learning_rate = divides ? 0.005 : 0.5, .epsilon = 0.1};
}

// A random stack, or the one that is given, examples for it, and two batches of different sizes;
// all drawn from a seed.
struct Problem {
  explicit Problem(uint64_t seed, const char* given = nullptr)
      : stream(seed, Purpose::kTest),
        spec(given != nullptr ? model::ParseModelSpec(given).value() : RandomSpec(seed)),
        start(spec, seed) {
    // Biases start at 0, where a mistake would not show.
    for (float& p : start.parameters()) p += 0.1f * stream.Normal();
    examples.size = kExamples;
    examples.features = spec.inputs;
    examples.pixels = AlignedBuffer<uint8_t>(kExamples * spec.inputs);
    examples.labels = AlignedBuffer<uint8_t>(kExamples);
    for (uint8_t& p : examples.pixels) p = static_cast<uint8_t>(stream.Below(256));
    for (uint8_t& label : examples.labels) {
      label = static_cast<uint8_t>(stream.Below(static_cast<uint32_t>(spec.outputs())));
    }
    for (std::vector<uint32_t>& rows : batches) {
      const uint32_t n =
          seed % 4 == 3 ? kBatches[stream.Below(std::size(kBatches))] : 1 + stream.Below(70);
      for (uint32_t i = 0; i < n; ++i) rows.push_back(stream.Below(kExamples));
    }
    shards = 1 + stream.Below(5);
  }

  // Depths 1 to 6 in turn, so that the first layer is split either way; inputs of more and of less
  // than one stretch of the conversion; outputs of one panel and of several.
  model::ModelSpec RandomSpec(uint64_t seed) {
    const auto activation = [this] {
      return kernels::kActivations[stream.Below(std::size(kernels::kActivations))];
    };
    model::ModelSpec random = {seed % 5 == 0 ? 784 : 1 + stream.Below(300), {}};
    for (uint64_t i = seed % 6; i > 0; --i) {
      random.layers.push_back({1 + stream.Below(i % 2 == 0 ? 300 : 150), activation()});
    }
    // Of one class there is nothing to learn.
    random.layers.push_back({2 + stream.Below(79), kernels::Activation::kIdentity});
    return random;
  }

  size_t LargestBatch() const { return std::max(batches[0].size(), batches[1].size()); }

  Stream stream;
  model::ModelSpec spec;
  model::Model start;
  data::Examples examples;
  std::vector<uint32_t> batches[2];
  size_t shards;
  optim::OptimizerOptions optimizer = OptimizerOf(kernels::OptimizerKind::kSgd);
};

struct Outcome {
  std::vector<double> losses;
  std::vector<size_t> hits;
  std::vector<float> parameters;

  bool operator==(const Outcome&) const = default;
};

// How products are computed.
struct Products {
  kernels::Precision precision = kernels::Precision::kFp32;
  const kernels::PairKernels* tiles = nullptr;  // null: the target's own
  bool skip_zeros = false;
  kernels::MathMode math = kernels::MathMode::kExact;
  std::vector<uint32_t> columns = {};
  bool packed = false;  // the same examples, and their columns
  std::optional<bool> past_caches = {};
};

Outcome Train(const Problem& problem, const kernels::Target& target, int threads,
              const Products& products = {}) {
  kernels::KernelSet kernels = kernels::KernelsFor(target);
  kernels.tiles = products.tiles;
  const data::Examples packed = products.packed ? data::Packed(problem.examples) : data::Examples();
  const data::Examples& examples = products.packed ? packed : problem.examples;
  model::Model model(problem.spec);
  std::ranges::copy(problem.start.parameters(), model.parameters().begin());
  optim::Optimizer optimizer(problem.optimizer, model.parameters().size());
  TensorParallel engine(
      model, optimizer, kernels,
      {.math = products.math,
       .precision = products.precision,
       .tiles = products.tiles != nullptr,
       .shards = problem.shards,
       .max_batch = problem.LargestBatch(),
       .threads = threads,
       .skip_zeros = products.skip_zeros,
       .columns = products.packed ? packed.packed.columns() : std::span(products.columns),
       .past_caches = products.past_caches});
  Outcome outcome;
  for (const std::vector<uint32_t>& rows : problem.batches) {
    optimizer.BeginStep();
    const StepResult result = engine.Steps({&examples, rows, problem.batches[1]}, rows.size(),
                                           std::span(&optimizer.step(), 1));
    outcome.losses.push_back(result.loss());
    outcome.hits.push_back(result.hits);
  }
  engine.Store(model, optimizer);
  outcome.parameters.assign(model.parameters().begin(), model.parameters().end());
  return outcome;
}

// The same in double.
std::pair<std::vector<double>, std::vector<double>> TrainReference(const Problem& problem) {
  reference::Mlp mlp = model::Textbook(problem.spec, problem.start.parameters());
  const std::unique_ptr<reference::Optimizer> textbook = optim::Textbook(problem.optimizer);
  std::vector<double> losses;
  for (const std::vector<uint32_t>& rows : problem.batches) {
    reference::Matrix x(rows.size(), problem.spec.inputs);
    std::vector<int> labels;
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t j = 0; j < x.cols; ++j) {
        x.data[i * x.cols + j] = problem.examples.pixels[rows[i] * x.cols + j] / 255.0;
      }
      labels.push_back(problem.examples.labels[rows[i]]);
    }
    losses.push_back(mlp.Step(x, labels, *textbook));
  }
  return {losses, mlp.parameters()};
}

class TensorParallelTest : public testing::TestWithParam<kernels::Target> {};

void ExpectToFollowTheReference(const Problem& problem, const Outcome& actual) {
  const auto expected = TrainReference(problem);
  const std::vector<double>& losses = expected.first;
  const std::vector<double>& parameters = expected.second;
  EXPECT_NEAR(actual.losses[0], losses[0], 1e-5 * (1 + losses[0]));
  // A rectifier that rounds to the other side moves the second step a little.
  EXPECT_NEAR(actual.losses[1], losses[1], 1e-4 * (1 + losses[1]));
  // Each layer's weights, then its biases, beside the way that they have gone themselves.
  size_t begin = 0;
  const auto compare = [&](const std::string& what, size_t count) {
    double travelled = 0;
    LargestError apart;
    for (size_t i = begin; i < begin + count; ++i) {
      travelled = std::max(travelled, std::abs(parameters[i] - problem.start.parameters()[i]));
      apart.Add(std::abs(parameters[i] - actual.parameters[i]));
    }
    EXPECT_LT(apart.value(), 1e-3 * travelled + 1e-6) << what;
    begin += count;
  };
  size_t inputs = problem.spec.inputs;
  for (size_t i = 0; i < problem.spec.layers.size(); ++i) {
    const size_t outputs = problem.spec.layers[i].units;
    compare("weights of layer " + std::to_string(i + 1), inputs * outputs);
    compare("biases of layer " + std::to_string(i + 1), outputs);
    inputs = outputs;
  }
  EXPECT_EQ(begin, parameters.size());
}

TEST_P(TensorParallelTest, FollowsTheReference) {
  for (uint64_t seed = 0; seed < 54; ++seed) {
    Problem problem(seed);
    // Each beside all depths.
    const auto kind = kernels::kOptimizerKinds[seed / 6 % kernels::kOptimizerKinds.size()];
    problem.optimizer = OptimizerOf(kind);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + Format(problem.spec) + ", " +
                 std::string(Name(kind)) + ", " + std::to_string(problem.shards) +
                 " shards, batches of " + std::to_string(problem.batches[0].size()) + " and " +
                 std::to_string(problem.batches[1].size()));
    const auto math = seed % 2 == 0 ? kernels::MathMode::kExact : kernels::MathMode::kFast;
    ExpectToFollowTheReference(problem, Train(problem, GetParam(), 1, {.math = math}));
  }
}

// Two layers have more weights than there is room for in a core's cache; the first is split either
// way. Of thousands of rectifiers one would round to the other side.
TEST_P(TensorParallelTest, FollowsTheReferenceInLayersWiderThanTheCache) {
  for (const char* spec : {"784-600-silu-500-tanh-10", "300-900-tanh-420-silu-70-tanh-10"}) {
    Problem problem(1, spec);
    problem.optimizer.learning_rate = 0.01;  // One that they can bear.
    SCOPED_TRACE(spec);
    const Outcome outcome = Train(problem, GetParam(), 2);
    ExpectToFollowTheReference(problem, outcome);
    EXPECT_EQ(Train(problem, GetParam(), 3), outcome);
  }
}

TEST_P(TensorParallelTest, BitsDoNotDependOnTheNumberOfThreads) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Problem problem(seed);
    const Outcome expected = Train(problem, GetParam(), 1);
    for (const int threads : kernels::kTeamSizes) {
      for (const bool past_caches : {false, true}) {
        EXPECT_EQ(Train(problem, GetParam(), threads, {.past_caches = past_caches}), expected)
            << "seed " << seed << ": " << Format(problem.spec) << ", " << problem.shards
            << " shards, " << threads << " threads" << (past_caches ? ", past caches" : "");
      }
    }
  }
}

// Threads may be a step apart then; sums over shards must not notice.
TEST_P(TensorParallelTest, ManyStepsInOneCallAreThoseOfManyCalls) {
  constexpr size_t kBatch = 7;
  constexpr size_t kSteps = 40;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Problem problem(seed);
    std::vector<uint32_t> rows;
    for (size_t i = 0; i < kBatch * kSteps - 2; ++i) {
      rows.push_back(problem.stream.Below(kExamples));
    }
    const auto train = [&](int threads, size_t rows_per_call, bool past_caches) {
      model::Model model(problem.spec);
      std::ranges::copy(problem.start.parameters(), model.parameters().begin());
      optim::Optimizer optimizer({}, model.parameters().size());
      TensorParallel engine(model, optimizer, kernels::KernelsFor(GetParam()),
                            {.shards = problem.shards,
                             .max_batch = kBatch,
                             .threads = threads,
                             .past_caches = past_caches});
      StepResult sum;
      for (size_t begin = 0; begin < rows.size(); begin += rows_per_call) {
        const auto some =
            std::span(rows).subspan(begin, std::min(rows_per_call, rows.size() - begin));
        std::vector<kernels::UpdateStep> updates;
        for (size_t i = 0; i < some.size(); i += kBatch) {
          optimizer.BeginStep();
          updates.push_back(optimizer.step());
        }
        sum += engine.Steps({&problem.examples, some}, kBatch, updates);
      }
      engine.Store(model, optimizer);
      const auto parameters = model.parameters();
      return Outcome{{sum.loss()}, {sum.hits, sum.samples}, {parameters.begin(), parameters.end()}};
    };
    const Outcome expected = train(1, kBatch, false);
    for (const int threads : kernels::kTeamSizes) {
      for (const bool past_caches : {false, true}) {
        const Outcome actual = train(threads, rows.size(), past_caches);
        // The losses of calls are added up in another order.
        EXPECT_NEAR(actual.losses[0], expected.losses[0], 1e-9);
        EXPECT_EQ(actual.hits, expected.hits);
        EXPECT_EQ(actual.parameters, expected.parameters)
            << "seed " << seed << ": " << Format(problem.spec) << ", " << threads << " threads"
            << (past_caches ? ", past caches" : "");
      }
    }
  }
}

// Leaves so many quarters of all pixels as they are; the others are 0 then.
void ClearPixels(Problem& problem, uint32_t quarters) {
  for (uint8_t& pixel : problem.examples.pixels) {
    if (problem.stream.Below(4) >= quarters) pixel = 0;
  }
}

// What is left out would have added 0.
TEST_P(TensorParallelTest, SkippingZerosChangesNoBits) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Problem problem(seed);
    // From all pixels 0 to none.
    ClearPixels(problem, seed % 5);
    const Outcome expected = Train(problem, GetParam(), 1);
    for (const int threads : {1, 3}) {
      EXPECT_EQ(Train(problem, GetParam(), threads, {.skip_zeros = true}), expected)
          << "seed " << seed << ": " << Format(problem.spec) << ", " << problem.shards
          << " shards, " << threads << " threads";
    }
  }
}

// Data with columns of zeros, and the others.
std::vector<uint32_t> ClearColumns(Problem& problem, uint32_t of_ten) {
  std::vector<uint32_t> used;
  const size_t features = problem.examples.features;
  for (uint32_t j = 0; j < features; ++j) {
    if (problem.stream.Below(10) >= of_ten) {
      used.push_back(j);
      continue;
    }
    for (size_t i = 0; i < kExamples; ++i) problem.examples.pixels[i * features + j] = 0;
  }
  return used;
}

TEST_P(TensorParallelTest, PackedPixelsChangeNoBits) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Problem problem(seed);
    const uint32_t quarters = seed % 5;
    ClearPixels(problem, quarters);
    std::vector<uint32_t> used = ClearColumns(problem, seed % 3);
    if (quarters == 0) used = {0};
    for (const bool skip_zeros : {false, true}) {
      for (const auto precision : {kernels::Precision::kFp32, kernels::Precision::kBf16}) {
        const Outcome expected =
            Train(problem, GetParam(), 1,
                  {.precision = precision, .skip_zeros = skip_zeros, .columns = used});
        for (const int threads : {1, 3}) {
          EXPECT_EQ(Train(problem, GetParam(), threads,
                          {.precision = precision, .skip_zeros = skip_zeros, .packed = true}),
                    expected)
              << "seed " << seed << ": " << Format(problem.spec) << ", " << problem.shards
              << " shards, " << threads << " threads, " << kernels::Name(precision)
              << (skip_zeros ? ", without zeros" : "");
        }
      }
    }
  }
}

TEST_P(TensorParallelTest, ColumnsOfZerosAreLeftOut) {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    Problem problem(seed);
    // Where the first layer is split by rows, what is left out moves the cuts between shards.
    const bool by_columns = problem.spec.layers.size() % 2 == 0;
    if (!by_columns) problem.shards = 1;
    const std::vector<uint32_t> used = ClearColumns(problem, 1 + seed % 4);
    const Outcome expected = Train(problem, GetParam(), 1);
    for (const bool skip_zeros : {false, true}) {
      for (const int threads : {1, 3}) {
        EXPECT_EQ(Train(problem, GetParam(), threads, {.skip_zeros = skip_zeros, .columns = used}),
                  expected)
            << "seed " << seed << ": " << Format(problem.spec) << ", " << problem.shards
            << " shards, " << threads << " threads, " << used.size() << " columns";
      }
    }
  }
}

TEST_P(TensorParallelTest, ColumnsOfZerosAreLeftOutInAnyNumberOfShards) {
  for (uint64_t seed = 2; seed < 24; seed += 2) {
    Problem problem(seed);
    const std::vector<uint32_t> used = ClearColumns(problem, 4);
    const auto [losses, parameters] = TrainReference(problem);
    const Outcome actual = Train(problem, GetParam(), 1, {.columns = used});
    EXPECT_NEAR(actual.losses[0], losses[0], 1e-5 * (1 + losses[0])) << "seed " << seed;
    for (const int threads : kernels::kTeamSizes) {
      EXPECT_EQ(Train(problem, GetParam(), threads, {.columns = used}), actual) << "seed " << seed;
    }
  }
}

// Without a gradient a weight moves on by its momentum, and shrinks by weight decay.
TEST_P(TensorParallelTest, NoColumnIsLeftOutThatMayChange) {
  Problem problem(7);
  const std::vector<uint32_t> used = ClearColumns(problem, 5);
  ASSERT_LT(used.size(), problem.spec.inputs);
  const size_t units = problem.spec.layers.front().units;
  const auto columns_of = [&](const optim::Optimizer& optimizer) {
    return TensorParallel(problem.start, optimizer, kernels::KernelsFor(GetParam()),
                          {.columns = used})
        .columns();
  };
  optim::Optimizer adam({.kind = kernels::OptimizerKind::kAdam}, problem.spec.parameter_count());
  EXPECT_EQ(columns_of(adam), used.size());
  size_t unused = 0;
  while (unused < used.size() && used[unused] == unused) ++unused;
  adam.state(0)[unused * units + units / 2] = 1;
  EXPECT_EQ(columns_of(adam), used.size() + 1);
  const optim::Optimizer decaying({.kind = kernels::OptimizerKind::kAdam, .weight_decay = 0.1},
                                  problem.spec.parameter_count());
  EXPECT_EQ(columns_of(decaying), problem.spec.inputs);
}

// The first loss shows the forward products, the distance between the weights after two steps all
// others: some rectifiers round to the other side, which moves a small batch by a tenth of its way
// where factors have 8 significant bits.
struct Band {
  kernels::Precision precision;
  double loss;   // deviation of the first loss, relative to 1 + loss
  double apart;  // distance of the ends, in parts of the way travelled
};
constexpr Band kBands[] = {{kernels::Precision::kSplit3, 2e-6, 1e-3},
                           {kernels::Precision::kBf16x3, 1e-4, 2e-2},
                           {kernels::Precision::kBf16, 1e-2, 0.2}};

void ExpectNearTheReference(const Problem& problem, const kernels::Target& target,
                            const Products& products, const Band& band) {
  const Outcome actual = Train(problem, target, 1, products);
  const auto [losses, parameters] = TrainReference(problem);
  double travelled = 0, apart = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    travelled += std::pow(parameters[i] - problem.start.parameters()[i], 2);
    apart += std::pow(parameters[i] - actual.parameters[i], 2);
  }
  EXPECT_NEAR(actual.losses[0], losses[0], band.loss * (1 + losses[0]));
  EXPECT_LT(std::sqrt(apart), band.apart * std::sqrt(travelled));
  EXPECT_NE(actual, Train(problem, target, 1)) << "was it rounded at all?";
  for (const int threads : kernels::kTeamSizes) {
    EXPECT_EQ(Train(problem, target, threads, products), actual) << threads << " threads";
  }
}

// Where zeros are skipped, the first layer's products are those of single precision.
bool HasRoundedLayersBesideTheFirst(const Problem& problem, const Band& band) {
  return problem.spec.layers.size() > 1 &&
         kernels::TermsOf(band.precision, /*with_bytes=*/false) > 0;
}

TEST_P(TensorParallelTest, EveryPrecisionStaysNearTheReference) {
  for (const Band& band : kBands) {
    for (uint64_t seed = 0; seed < 12; ++seed) {
      Problem problem(seed);
      const auto kind = kernels::kOptimizerKinds[seed % kernels::kOptimizerKinds.size()];
      problem.optimizer = OptimizerOf(kind);
      SCOPED_TRACE(std::string(Name(band.precision)) + ", " + std::string(Name(kind)) + ", seed " +
                   std::to_string(seed) + ": " + Format(problem.spec) + ", " +
                   std::to_string(problem.shards) + " shards");
      ExpectNearTheReference(problem, GetParam(), {.precision = band.precision}, band);
      if (!HasRoundedLayersBesideTheFirst(problem, band)) continue;
      // Other rectifiers round to the other side: here the worst of all ends 21 % apart.
      const Band skipping = {band.precision, band.loss, 1.25 * band.apart};
      ExpectNearTheReference(problem, GetParam(), {.precision = band.precision, .skip_zeros = true},
                             skipping);
    }
  }
}

// The engine's panels have the width of tiles with AVX-512 alone.
TEST(TensorParallelTilesTest, StayNearTheReference) {
  const kernels::Target target = {kernels::Backend::kSimd, Isa::kAvx512};
  if (!IsSupported(target.isa)) GTEST_SKIP() << "this CPU has no AVX-512, whose panels tiles need";
  for (const Band& band : kBands) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      const Problem problem(seed);
      SCOPED_TRACE(std::string(Name(band.precision)) + ", seed " + std::to_string(seed) + ": " +
                   Format(problem.spec) + ", " + std::to_string(problem.shards) + " shards");
      const Products emulated = {.precision = band.precision,
                                 .tiles = &kernels::EmulatedTilePairTable()};
      ExpectNearTheReference(problem, target, emulated, band);
      if (!HasRoundedLayersBesideTheFirst(problem, band)) continue;
      Products skipping = emulated;
      skipping.skip_zeros = true;
      ExpectNearTheReference(problem, target, skipping, band);
    }
  }
}

TEST(TensorParallelTilesTest, OfTheCpuHaveTheBitsOfTheirEmulation) {
  const kernels::Target target = {kernels::Backend::kSimd, Isa::kAvx512};
  const kernels::PairKernels* native = kernels::FindTileKernels(target);
  if (native == nullptr) {
    GTEST_SKIP() << "this CPU has no AMX_BF16, or its operating system does not lend the tiles";
  }
  for (const Band& band : kBands) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      const Problem problem(seed);
      const auto train = [&](const kernels::PairKernels* tiles) {
        return Train(problem, target, 2, {.precision = band.precision, .tiles = tiles});
      };
      EXPECT_EQ(train(native), train(&kernels::EmulatedTilePairTable()))
          << Name(band.precision) << ", seed " << seed;
    }
  }
}

std::vector<kernels::Target> Targets() {
  std::vector<kernels::Target> targets = kernels::SupportedTargets();
  std::erase_if(targets, [](const kernels::Target& target) {
    return kernels::KernelsFor(target).panel == nullptr;
  });
  return targets;
}

INSTANTIATE_TEST_SUITE_P(, TensorParallelTest, testing::ValuesIn(Targets()), kernels::TestName);

TEST(DefaultShardsTest, FollowTheWidths) {
  const auto of = [](const char* spec) { return DefaultShards(*model::ParseModelSpec(spec)); };
  EXPECT_EQ(of("784-128-128-128-10"), 4u);
  EXPECT_EQ(of("784-10"), 16u);
  EXPECT_EQ(of("2-8-8-2"), 1u);
  EXPECT_EQ(of("784-2048-32-10"), 16u);
}

}  // namespace
}  // namespace mlp::engine
