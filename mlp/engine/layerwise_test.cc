// One step of random models, on every target of this CPU, against the textbook.
#include "mlp/engine/layerwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/model/textbook.h"
#include "mlp/reference/gradient_check.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/mlp.h"

namespace mlp::engine {
namespace {

using kernels::Activation;
using kernels::MathMode;

// A random stack, examples for it, and a batch of them; all drawn from a seed.
struct Problem {
  explicit Problem(uint64_t seed, size_t inputs = 0)
      : stream(seed, Purpose::kTest), spec(RandomSpec(inputs)), model(spec, seed) {
    parameters.assign(model.parameters().begin(), model.parameters().end());
    // Biases start at 0, where a mistake would not show.
    for (float& p : parameters) p += 0.1f * stream.Normal();
    examples.size = 90;
    examples.features = spec.inputs;
    examples.pixels = AlignedBuffer<uint8_t>(examples.size * spec.inputs);
    examples.labels = AlignedBuffer<uint8_t>(examples.size);
    for (uint8_t& p : examples.pixels) p = static_cast<uint8_t>(stream.Below(256));
    for (uint8_t& label : examples.labels) {
      label = static_cast<uint8_t>(stream.Below(static_cast<uint32_t>(spec.outputs())));
    }
    for (uint32_t n = 1 + stream.Below(70); n > 0; --n) rows.push_back(stream.Below(90));
  }

  // 1 to 5 layers of 1 to 40 units.
  model::ModelSpec RandomSpec(size_t inputs) {
    const auto count = static_cast<uint32_t>(std::size(kernels::kActivations));
    model::ModelSpec random = {inputs > 0 ? inputs : 1 + stream.Below(40), {}};
    for (uint32_t i = stream.Below(5); i > 0; --i) {
      random.layers.push_back({1 + stream.Below(40), kernels::kActivations[stream.Below(count)]});
    }
    random.layers.push_back({1 + stream.Below(40), Activation::kIdentity});
    return random;
  }

  reference::Mlp Textbook() const { return model::Textbook(spec, parameters); }
  reference::Matrix Inputs() const {
    reference::Matrix x(rows.size(), spec.inputs);
    for (size_t k = 0; k < x.data.size(); ++k) {
      const uint8_t pixel = examples.pixels[rows[k / x.cols] * x.cols + k % x.cols];
      x.data[k] = static_cast<float>(pixel) * (1.0f / 255);
    }
    return x;
  }
  std::vector<int> Labels() const {
    std::vector<int> labels;
    for (const uint32_t row : rows) labels.push_back(examples.labels[row]);
    return labels;
  }

  Stream stream;
  model::ModelSpec spec;
  model::Model model;
  std::vector<float> parameters;
  data::Examples examples;
  std::vector<uint32_t> rows;
};

// What a step computes.
struct Outcome {
  std::vector<double> logits;
  StepResult result;
  std::vector<float> gradient;
  std::vector<float> gradient_of_blocks;
  std::vector<float> updated_by_blocks;  // parameters - gradient, updated block by block

  bool operator==(const Outcome& other) const {
    return logits == other.logits && result.loss_sum == other.result.loss_sum &&
           result.hits == other.result.hits && result.samples == other.result.samples &&
           gradient == other.gradient && gradient_of_blocks == other.gradient_of_blocks &&
           updated_by_blocks == other.updated_by_blocks;
  }
};

Outcome Step(Layerwise& engine, const Problem& problem, const kernels::Target& target,
             MathMode math, int threads = 1) {
  Outcome outcome;
  // Each element must be written.
  outcome.gradient.assign(problem.parameters.size(), kernels::kNaN);
  outcome.gradient_of_blocks = outcome.gradient;
  outcome.updated_by_blocks = problem.parameters;
  const float scale = 1.0f / static_cast<float>(problem.rows.size());
  RunTeam(threads, [&](const Worker& worker) {
    const kernels::Context context = {&kernels::KernelsFor(target), math, worker};
    engine.Gather(context, {&problem.examples, problem.rows});
    engine.Forward(context, problem.parameters);
    engine.Loss(context, scale);
    engine.Backward(context, problem.parameters, kernels::Output::kOverwrite, outcome.gradient);

    engine.Forward(context, outcome.updated_by_blocks);
    engine.Loss(context, scale);
    std::vector<float> scratch(engine.scratch_size());
    engine.BackwardBlocks(context, outcome.updated_by_blocks, scratch,
                          [&](Range range, std::span<const float> gradient) {
                            for (size_t i = range.begin; i < range.end; ++i) {
                              outcome.gradient_of_blocks[i] = gradient[i - range.begin];
                              outcome.updated_by_blocks[i] -= gradient[i - range.begin];
                            }
                          });
  });
  const ConstMatrix logits = engine.logits();
  for (size_t i = 0; i < logits.rows(); ++i) {
    outcome.logits.insert(outcome.logits.end(), logits.row(i), logits.row(i) + logits.cols());
  }
  outcome.result = engine.Result();
  return outcome;
}

std::string Repro(const kernels::Target& target, MathMode math, const Problem& problem,
                  uint64_t seed) {
  return "on " + Name(target) + ", " + std::string(Name(math)) + ", seed " + std::to_string(seed) +
         ": " + Format(problem.spec) + ", batch " + std::to_string(problem.rows.size());
}

double Largest(const std::vector<double>& x) {
  double largest = 0;
  for (const double v : x) largest = std::max(largest, std::abs(v));
  return largest;
}

class LayerwiseTest : public testing::TestWithParam<kernels::Target> {
 protected:
  void ExpectLikeTheReference(uint64_t seed, size_t inputs, MathMode math) {
    const Problem problem(seed, inputs);
    SCOPED_TRACE(Repro(GetParam(), math, problem, seed));
    Layerwise engine(problem.model, problem.rows.size());
    const Outcome outcome = Step(engine, problem, GetParam(), math);
    const reference::Mlp textbook = problem.Textbook();
    const reference::Matrix x = problem.Inputs();
    const std::vector<int> labels = problem.Labels();

    // Relative to the largest element: what sums of products in fp32, through all layers, leave.
    const double tolerance = math == MathMode::kExact ? 1e-5 : 5e-5;
    const std::vector<double> logits = textbook.Forward(x).data;
    EXPECT_TRUE(reference::IsClose(outcome.logits, logits, tolerance, Largest(logits) + 0.1));
    EXPECT_NEAR(outcome.result.loss(), textbook.Loss(x, labels), tolerance * (1 + Largest(logits)));
    EXPECT_EQ(outcome.result.samples, problem.rows.size());
    size_t hits = 0;
    const std::vector<int> predictions = textbook.Predict(x);
    for (size_t i = 0; i < labels.size(); ++i) hits += predictions[i] == labels[i];
    EXPECT_EQ(outcome.result.hits, hits);

    const std::vector<double> gradient = textbook.Gradient(x, labels);
    const std::vector<double> actual(outcome.gradient.begin(), outcome.gradient.end());
    EXPECT_TRUE(reference::IsClose(actual, gradient, tolerance, Largest(gradient) + 1e-3));

    EXPECT_EQ(outcome.gradient_of_blocks, outcome.gradient);
    std::vector<float> updated = problem.parameters;
    for (size_t i = 0; i < updated.size(); ++i) updated[i] -= outcome.gradient[i];
    EXPECT_EQ(outcome.updated_by_blocks, updated);
  }
};

TEST_P(LayerwiseTest, MatchesTheReferenceOnRandomStacks) {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
      ExpectLikeTheReference(seed, 0, math);
    }
  }
}

TEST_P(LayerwiseTest, MatchesTheReferenceOnWideInputs) {
  ExpectLikeTheReference(101, 784, MathMode::kExact);
  ExpectLikeTheReference(102, 784, MathMode::kFast);
}

TEST_P(LayerwiseTest, TeamsOfAnySizeGiveTheSameBits) {
  for (uint64_t seed = 201; seed <= 206; ++seed) {
    const Problem problem(seed, seed == 206 ? 784 : 0);
    std::optional<Outcome> alone;
    for (const int threads : kernels::kTeamSizes) {
      Layerwise engine(problem.model, problem.rows.size());
      const Outcome outcome = Step(engine, problem, GetParam(), MathMode::kFast, threads);
      if (!alone) alone = outcome;
      EXPECT_TRUE(outcome == *alone)
          << Repro(GetParam(), MathMode::kFast, problem, seed) << ", threads " << threads;
    }
  }
}

TEST_P(LayerwiseTest, SmallerBatchesLeaveNothingOfLargerOnes) {
  for (uint64_t seed = 301; seed <= 304; ++seed) {
    Problem problem(seed);
    Layerwise engine(problem.model, 90);
    const Outcome first = Step(engine, problem, GetParam(), MathMode::kFast);
    const std::vector<uint32_t> all = problem.rows;
    problem.rows.resize((all.size() + 1) / 2);
    const Outcome smaller = Step(engine, problem, GetParam(), MathMode::kFast);
    Layerwise fresh(problem.model, problem.rows.size());
    EXPECT_TRUE(smaller == Step(fresh, problem, GetParam(), MathMode::kFast))
        << Repro(GetParam(), MathMode::kFast, problem, seed);
    problem.rows = all;
    EXPECT_TRUE(first == Step(engine, problem, GetParam(), MathMode::kFast))
        << Repro(GetParam(), MathMode::kFast, problem, seed);
  }
}

TEST_P(LayerwiseTest, GradientsAreAddedUp) {
  const Problem problem(401);
  Layerwise engine(problem.model, problem.rows.size());
  const Outcome outcome = Step(engine, problem, GetParam(), MathMode::kExact);
  std::vector<float> sum = outcome.gradient;
  const kernels::Context context = kernels::SoloContext(GetParam(), MathMode::kExact);
  engine.Forward(context, problem.parameters);
  engine.Loss(context, 1.0f / static_cast<float>(problem.rows.size()));
  engine.Backward(context, problem.parameters, kernels::Output::kAdd, sum);
  for (size_t i = 0; i < sum.size(); ++i) {
    ASSERT_NEAR(sum[i], 2 * outcome.gradient[i], 1e-5)
        << Repro(GetParam(), MathMode::kExact, problem, 401);
  }
}

TEST(StepResultTest, AddsUp) {
  StepResult total;
  total += {3.0, 1, 4};
  total += {1.0, 2, 4};
  EXPECT_EQ(total.loss(), 0.5);
  EXPECT_EQ(total.accuracy(), 3.0 / 8);
}

INSTANTIATE_TEST_SUITE_P(, LayerwiseTest, testing::ValuesIn(kernels::SupportedTargets()),
                         kernels::TestName);

}  // namespace
}  // namespace mlp::engine
