// Predictions of random stacks on every target of this CPU, against the textbook; and the same bits
// in any batch, on any number of threads, with zeros skipped or not.
#include "mlp/engine/inference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/model/textbook.h"
#include "mlp/reference/matrix.h"

namespace mlp::engine {
namespace {

constexpr size_t kMostRows = 257;
constexpr size_t kBatches[] = {1, 2, 3, 8, 63, 64, 65, 130, 257};

// A random stack and rows for it, as pixels and as floats; all drawn from a seed.
struct Problem {
  explicit Problem(uint64_t seed)
      : stream(seed, Purpose::kTest), spec(RandomSpec(seed)), model(spec, seed) {
    // Biases start at 0, where a mistake would not show.
    for (float& p : model.parameters()) p += 0.1f * stream.Normal();
    // Blocks of rows with few zeros and with many.
    const uint32_t often = seed % 2 == 0 ? 5 : 1;
    for (size_t k = 0; k < kMostRows * spec.inputs; ++k) {
      pixels.push_back(stream.Below(often) == 0 ? static_cast<uint8_t>(stream.Below(256)) : 0);
      values.push_back(stream.Below(often) == 0 ? stream.Uniform(-1, 1) : 0);
    }
    for (size_t i = 0; i < kMostRows; ++i) {
      labels.push_back(static_cast<uint8_t>(stream.Below(static_cast<uint32_t>(spec.outputs()))));
    }
  }

  // Depths 1 to 6; widths 1 to 300, narrow ones among them.
  model::ModelSpec RandomSpec(uint64_t seed) {
    const auto width = [this] { return 1 + stream.Below(stream.Below(3) == 0 ? 12 : 300); };
    model::ModelSpec random = {seed % 4 == 0 ? 784 : width(), {}};
    for (uint64_t i = seed % 6; i > 0; --i) {
      random.layers.push_back(
          {width(), kernels::kActivations[stream.Below(std::size(kernels::kActivations))]});
    }
    random.layers.push_back({std::min(width(), 256u), kernels::Activation::kIdentity});
    return random;
  }

  Inputs Rows(std::span<const uint32_t> rows, bool of_pixels) const {
    return {of_pixels ? pixels.data() : nullptr, of_pixels ? nullptr : values.data(), spec.inputs,
            rows};
  }
  // The textbook's logits of all rows.
  reference::Matrix Reference(bool of_pixels) const {
    reference::Matrix x(kMostRows, spec.inputs);
    for (size_t k = 0; k < x.data.size(); ++k) {
      x.data[k] = of_pixels ? pixels[k] / 255.0 : values[k];
    }
    return model::Textbook(spec, model.parameters()).Forward(x);
  }

  Stream stream;
  model::ModelSpec spec;
  model::Model model;
  std::vector<uint8_t> pixels;
  std::vector<float> values;
  std::vector<uint8_t> labels;
};

std::vector<uint32_t> Rows(size_t n) {
  std::vector<uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::vector<float> Logits(const Inference& engine) {
  std::vector<float> logits;
  for (size_t i = 0; i < engine.logits().rows(); ++i) {
    const float* row = engine.logits().row(i);
    logits.insert(logits.end(), row, row + engine.logits().cols());
  }
  return logits;
}

class InferenceTest : public testing::TestWithParam<kernels::Target> {
 protected:
  Inference MakeEngine(const Problem& problem, size_t max_batch, int threads = 1,
                       bool skip_zeros = true, bool bf16_weights = false) {
    return Inference(problem.model, kernels::KernelsFor(GetParam()),
                     {.math = kernels::MathMode::kExact,
                      .max_batch = max_batch,
                      .threads = threads,
                      .skip_zeros = skip_zeros,
                      .bf16_weights = bf16_weights});
  }
};

TEST_P(InferenceTest, MatchesTheReference) {
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    const Problem problem(seed);
    for (const bool of_pixels : {false, true}) {
      const reference::Matrix expected = problem.Reference(of_pixels);
      double largest = 1;
      for (const double z : expected.data) largest = std::max(largest, std::abs(z));
      const size_t n = kBatches[seed % std::size(kBatches)];
      Inference engine = MakeEngine(problem, kMostRows, seed % 6 == 0 ? 2 : 1);
      engine.Predict(problem.Rows(Rows(n), of_pixels));
      ASSERT_EQ(engine.logits().rows(), n);
      for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j < expected.cols; ++j) {
          ASSERT_NEAR(engine.logits()(i, j), expected(i, j), 1e-4 * largest)
              << Format(problem.spec) << " seed " << seed << " pixels " << of_pixels << " row " << i
              << " of " << n << " column " << j;
        }
      }
    }
  }
}

TEST_P(InferenceTest, BatchesThreadsAndSkippingChangeNoBit) {
  // The layers' own products on other backends depend on the batch.
  if (kernels::KernelsFor(GetParam()).gemv == nullptr) GTEST_SKIP() << "no such promise";
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const Problem problem(seed);
    for (const bool of_pixels : {false, true}) {
      Inference all = MakeEngine(problem, kMostRows);
      all.Predict(problem.Rows(Rows(kMostRows), of_pixels));
      const std::vector<float> expected = Logits(all);
      for (const size_t batch : kBatches) {
        for (const int threads : {1, 3}) {
          for (const bool skip_zeros : {false, true}) {
            Inference engine = MakeEngine(problem, batch, threads, skip_zeros);
            std::vector<float> found;
            const std::vector<uint32_t> rows = Rows(kMostRows);
            for (size_t begin = 0; begin < kMostRows; begin += batch) {
              engine.Predict(problem.Rows(
                  std::span(rows).subspan(begin, std::min(batch, kMostRows - begin)), of_pixels));
              const std::vector<float> part = Logits(engine);
              found.insert(found.end(), part.begin(), part.end());
            }
            ASSERT_EQ(found, expected)
                << Format(problem.spec) << " batch " << batch << " threads " << threads << " skip "
                << skip_zeros << " pixels " << of_pixels;
          }
        }
      }
    }
  }
}

// As if the model itself had been rounded, one row at a time and in blocks.
TEST_P(InferenceTest, RoundedWeightsAreThoseOfARoundedModel) {
  if (kernels::KernelsFor(GetParam()).gemv == nullptr) GTEST_SKIP() << "no words";
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Problem problem(seed);
    Inference rounded = MakeEngine(problem, 1, 1, true, /*bf16_weights=*/true);
    Inference rounded_blocks = MakeEngine(problem, 70, 1, true, /*bf16_weights=*/true);
    Inference exact = MakeEngine(problem, 1);
    const std::vector<uint32_t> rows = Rows(70);
    exact.Predict(problem.Rows(std::span(rows).first(1), true));
    const std::vector<float> before = Logits(exact);
    for (size_t i = 0; i < problem.model.layer_count(); ++i) {
      const size_t weights = problem.model.layer(i).multiply_adds();
      const size_t begin = problem.model.layer_parameters(i).begin;
      for (float& w : problem.model.parameters().subspan(begin, weights)) {
        // Within 8 significant bits, ties to even.
        int exponent;
        const float fraction = std::frexp(w, &exponent);
        w = std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
      }
    }
    exact.Load();
    rounded_blocks.Predict(problem.Rows(rows, true));
    const std::vector<float> blocks = Logits(rounded_blocks);
    const size_t n = problem.spec.outputs();
    for (const uint32_t row : {0u, 5u, 69u}) {
      exact.Predict(problem.Rows(std::span(rows).subspan(row, 1), true));
      rounded.Predict(problem.Rows(std::span(rows).subspan(row, 1), true));
      const std::vector<float> expected = Logits(exact);
      EXPECT_EQ(Logits(rounded), expected);
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                             blocks.begin() + static_cast<ptrdiff_t>(row * n)));
      if (row == 0) {
        EXPECT_NE(expected, before) << "was it rounded at all?";
      }
    }
  }
}

TEST_P(InferenceTest, RowsMayLieAnywhere) {
  const Problem problem(5);
  Inference engine = MakeEngine(problem, 10, 2);
  engine.Predict(std::span<const uint8_t>(problem.pixels).first(10 * problem.spec.inputs));
  const std::vector<float> in_order = Logits(engine);
  const std::vector<uint32_t> rows = {7, 7, 0, 9};
  engine.Predict(problem.Rows(rows, true));
  const std::vector<float> picked = Logits(engine);
  const size_t n = problem.spec.outputs();
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < n; ++j) {
      ASSERT_NEAR(picked[i * n + j], in_order[rows[i] * n + j], 1e-4) << i;
    }
  }
  engine.Predict(std::span<const float>(problem.values).first(3 * problem.spec.inputs));
  EXPECT_EQ(engine.logits().rows(), 3u);
  engine.Predict(std::span<const float>());
  EXPECT_EQ(engine.logits().rows(), 0u);
  EXPECT_TRUE(engine.Classes().empty());
}

TEST_P(InferenceTest, ProbabilitiesClassesAndScoreFollowFromLogits) {
  const Problem problem(9);
  Inference engine = MakeEngine(problem, 100, 2);
  engine.Predict(problem.Rows(Rows(100), true));
  const std::vector<uint32_t> classes(engine.Classes().begin(), engine.Classes().end());
  const ConstMatrix p = engine.Probabilities();
  ASSERT_EQ(classes.size(), 100u);
  double loss = 0;
  size_t hits = 0;
  for (size_t i = 0; i < 100; ++i) {
    const float* z = engine.logits().row(i);
    EXPECT_EQ(classes[i], std::max_element(z, z + p.cols()) - z);
    double sum = 0;
    for (size_t j = 0; j < p.cols(); ++j) sum += p(i, j);
    EXPECT_NEAR(sum, 1, 1e-5);
    loss -= std::log(static_cast<double>(p(i, problem.labels[i])));
    hits += classes[i] == problem.labels[i];
  }
  const StepResult score = engine.Score(std::span(problem.labels).first(100));
  EXPECT_EQ(score.samples, 100u);
  EXPECT_EQ(score.hits, hits);
  EXPECT_NEAR(score.loss_sum, loss, 1e-3 * loss);
}

TEST_P(InferenceTest, LoadTakesNewWeights) {
  Problem problem(3);
  const auto row = std::span<const uint8_t>(problem.pixels).first(problem.spec.inputs);
  Inference engine = MakeEngine(problem, 1);
  engine.Predict(row);
  const std::vector<float> before = Logits(engine);
  for (float& p : problem.model.parameters()) p *= 0.5f;
  engine.Load();
  engine.Predict(row);
  const std::vector<float> after = Logits(engine);
  Inference fresh = MakeEngine(problem, 1);
  fresh.Predict(row);
  EXPECT_NE(after, before);
  EXPECT_EQ(after, Logits(fresh));
}

INSTANTIATE_TEST_SUITE_P(Targets, InferenceTest, testing::ValuesIn(kernels::SupportedTargets()),
                         kernels::TestName);

}  // namespace
}  // namespace mlp::engine
