// Steps of random tiny stacks, with every loss, against the textbook.
#include "mlp/engine/tiny.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/model/textbook.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"

namespace mlp::engine {
namespace {

constexpr size_t kExamples = 40;
constexpr size_t kBatches[] = {1, 1, 2, 7, 1, 16};

// A random stack and examples for it, pixels or values; all drawn from a seed.
struct Problem {
  explicit Problem(uint64_t seed)
      : stream(seed, Purpose::kTest), spec(RandomSpec(seed)), start(spec, seed) {
    for (float& p : start.parameters()) p += 0.1f * stream.Normal();
    examples.size = kExamples;
    examples.features = spec.inputs;
    examples.labels = AlignedBuffer<uint8_t>(kExamples);
    if (seed % 2 == 0) {
      examples.pixels = AlignedBuffer<uint8_t>(kExamples * spec.inputs);
      for (uint8_t& p : examples.pixels) p = static_cast<uint8_t>(stream.Below(256));
    } else {
      examples.values = AlignedBuffer<float>(kExamples * spec.inputs);
      for (float& v : examples.values) v = stream.Uniform(-1, 1);
    }
    for (uint8_t& label : examples.labels) {
      label = static_cast<uint8_t>(stream.Below(static_cast<uint32_t>(spec.classes())));
    }
    for (const size_t n : kBatches) {
      batches.emplace_back();
      for (size_t i = 0; i < n; ++i) batches.back().push_back(stream.Below(kExamples));
    }
  }

  // 1 to 4 layers, 2048 parameters at most.
  model::ModelSpec RandomSpec(uint64_t seed) {
    while (true) {
      model::ModelSpec random = {1 + stream.Below(20), {}};
      for (uint64_t i = seed % 4; i > 0; --i) {
        random.layers.push_back(
            {1 + stream.Below(33),
             kernels::kActivations[stream.Below(std::size(kernels::kActivations))]});
      }
      random.layers.push_back(
          {seed % 3 == 0 ? 1 : 1 + stream.Below(12), kernels::Activation::kIdentity});
      random.loss = kernels::kLossKinds[seed % std::size(kernels::kLossKinds)];
      if (random.parameter_count() <= kMaxTinyParameters) return random;
    }
  }

  reference::Matrix Inputs(const std::vector<uint32_t>& rows) const {
    reference::Matrix x(rows.size(), spec.inputs);
    for (size_t k = 0; k < x.data.size(); ++k) {
      const size_t at = rows[k / spec.inputs] * spec.inputs + k % spec.inputs;
      x.data[k] = examples.pixels.empty() ? examples.values[at] : examples.pixels[at] / 255.0;
    }
    return x;
  }

  Stream stream;
  model::ModelSpec spec;
  model::Model start;
  data::Examples examples;
  std::vector<std::vector<uint32_t>> batches;
};

class TinyTest : public testing::TestWithParam<kernels::Target> {};

TEST_P(TinyTest, StepsFollowTheReference) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const Problem problem(seed);
    reference::Mlp mlp = model::Textbook(problem.spec, problem.start.parameters());
    // Without Adam, which blows differences of gradients near 0 up.
    reference::Sgd sgd({.learning_rate = 0.02});

    model::Model model(problem.spec);
    std::ranges::copy(problem.start.parameters(), model.parameters().begin());
    optim::Optimizer optimizer({.kind = kernels::OptimizerKind::kSgd, .learning_rate = 0.02},
                               model.parameters().size());
    Tiny engine(model, optimizer, kernels::KernelsFor(GetParam()), kernels::MathMode::kExact);
    for (const std::vector<uint32_t>& rows : problem.batches) {
      std::vector<int> labels;
      for (const uint32_t row : rows) labels.push_back(problem.examples.labels[row]);
      const reference::Matrix x = problem.Inputs(rows);
      const std::vector<int> classes = mlp.Predict(x);
      size_t hits = 0;
      for (size_t i = 0; i < rows.size(); ++i) hits += classes[i] == labels[i];
      const double loss = mlp.Step(x, labels, sgd);

      StepResult result;
      RunTeam(1, [&](const Worker&) {
        optimizer.BeginStep();
        result = engine.Gradient(problem.examples, rows);
        engine.Update(optimizer.step());
      });
      EXPECT_NEAR(result.loss(), loss, 1e-4 * (1 + loss)) << Format(problem.spec);
      EXPECT_EQ(result.hits, hits) << Format(problem.spec);
      EXPECT_EQ(result.samples, rows.size());
    }
    engine.Store(model, optimizer);
    for (size_t i = 0; i < problem.start.parameters().size(); ++i) {
      ASSERT_NEAR(model.parameters()[i], mlp.parameters()[i],
                  1e-4 * (1 + std::abs(mlp.parameters()[i])))
          << Format(problem.spec) << " seed " << seed << " parameter " << i;
    }
  }
}

// A step at once does what the gradient and its update do one after the other.
TEST_P(TinyTest, AStepOfOneSampleIsItsGradientAndItsUpdate) {
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    for (uint64_t seed = 1; seed <= 12; ++seed) {
      const Problem problem(seed);
      const size_t parameters = problem.start.parameters().size();
      model::Model one(problem.spec), two(problem.spec);
      std::ranges::copy(problem.start.parameters(), one.parameters().begin());
      std::ranges::copy(problem.start.parameters(), two.parameters().begin());
      const optim::OptimizerOptions options = {.kind = kind, .learning_rate = 1e-3};
      optim::Optimizer optimizer(options, parameters);
      const kernels::KernelSet& kernels = kernels::KernelsFor(GetParam());
      Tiny at_once(one, optimizer, kernels, kernels::MathMode::kExact);
      Tiny in_turn(two, optimizer, kernels, kernels::MathMode::kExact);
      RunTeam(1, [&](const Worker&) {
        for (const std::vector<uint32_t>& rows : problem.batches) {
          optimizer.BeginStep();
          const kernels::TinyResult actual =
              at_once.Step(problem.examples, rows[0], optimizer.step());
          const StepResult expected = in_turn.Gradient(problem.examples, {rows.data(), 1});
          in_turn.Update(optimizer.step());
          EXPECT_EQ(actual.loss, expected.loss_sum);
          EXPECT_EQ(actual.hit, expected.hits == 1);
        }
      });
      optim::Optimizer other(options, parameters);
      at_once.Store(one, optimizer);
      in_turn.Store(two, other);
      for (size_t i = 0; i < parameters; ++i) {
        ASSERT_EQ(one.parameters()[i], two.parameters()[i])
            << Name(kind) << ", " << Format(problem.spec) << ", parameter " << i;
      }
      for (size_t k = 0; k < kernels::States(kind); ++k) {
        EXPECT_TRUE(std::ranges::equal(optimizer.state(k), other.state(k)));
      }
    }
  }
}

// Softmax does not see what all logits have in common, so nothing keeps it small.
TEST_P(TinyTest, LogitsMayAllBeFarFromZero) {
  const model::ModelSpec spec = {4, {{3, kernels::Activation::kIdentity}}};
  data::Examples examples;
  examples.size = 1;
  examples.features = 4;
  examples.values = AlignedBuffer<float>(4);
  examples.labels = AlignedBuffer<uint8_t>(1);
  const std::vector<uint32_t> rows = {0};
  for (const kernels::MathMode math : {kernels::MathMode::kExact, kernels::MathMode::kFast}) {
    for (const float shift : {-200.0f, 200.0f}) {
      model::Model model(spec);
      std::ranges::fill(model.parameters(), shift);
      optim::Optimizer optimizer({.kind = kernels::OptimizerKind::kSgd, .learning_rate = 0.5},
                                 model.parameters().size());
      Tiny engine(model, optimizer, kernels::KernelsFor(GetParam()), math);
      StepResult result;
      RunTeam(1, [&](const Worker&) {
        optimizer.BeginStep();
        result = engine.Gradient(examples, rows);
        engine.Update(optimizer.step());
      });
      EXPECT_NEAR(result.loss(), std::log(3.0), 1e-5);
      engine.Store(model, optimizer);
      EXPECT_NEAR(model.parameters()[12], shift + 0.5 * 2 / 3, 1e-4);
      EXPECT_NEAR(model.parameters()[14], shift - 0.5 / 3, 1e-4);
    }
  }
}

TEST_P(TinyTest, WhatIsStoredGoesOnWithTheSameBits) {
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    const Problem problem(7);
    const auto train = [&](bool interrupted) {
      model::Model model(problem.spec, 1);
      optim::Optimizer optimizer({.kind = kind}, model.parameters().size());
      const auto make = [&] {
        return std::make_unique<Tiny>(model, optimizer, kernels::KernelsFor(GetParam()),
                                      kernels::MathMode::kFast);
      };
      auto engine = make();
      for (const std::vector<uint32_t>& rows : problem.batches) {
        RunTeam(1, [&](const Worker&) {
          optimizer.BeginStep();
          engine->Gradient(problem.examples, rows);
          engine->Update(optimizer.step());
        });
        engine->Store(model, optimizer);
        if (interrupted) engine = make();
      }
      return std::vector<float>(model.parameters().begin(), model.parameters().end());
    };
    EXPECT_EQ(train(true), train(false));
  }
}

std::vector<kernels::Target> SimdTargets() {
  std::vector<kernels::Target> targets;
  for (const kernels::Target& target : kernels::SupportedTargets()) {
    if (kernels::FindTinyKernels(target) != nullptr) targets.push_back(target);
  }
  return targets;
}

INSTANTIATE_TEST_SUITE_P(Targets, TinyTest, testing::ValuesIn(SimdTargets()), kernels::TestName);

TEST(IsTinyTest, CountsParameters) {
  EXPECT_TRUE(IsTiny(*model::ParseModelSpec("2-8-8-1"), {}));
  EXPECT_TRUE(IsTiny(*model::ParseModelSpec("1023-2"), {}));
  EXPECT_FALSE(IsTiny(*model::ParseModelSpec("1024-2"), {}));
  EXPECT_FALSE(IsTiny(*model::ParseModelSpec("2-8-8-1"), {kernels::Backend::kScalar, Isa::kSse2}));
}

}  // namespace
}  // namespace mlp::engine
