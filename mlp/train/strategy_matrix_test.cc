// All that can be trained, against the textbook in double: every strategy on every target, with
// every optimizer, loss and precision, on nets of several depths, widths and activations, the last
// batch an incomplete one. A new row of any .inc is in it by itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/model/textbook.h"
#include "mlp/optim/optimizer.h"
#include "mlp/optim/textbook.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"
#include "mlp/train/strategies/strategy.h"
#include "mlp/train/testing.h"

namespace mlp::train {
namespace {

using kernels::LossKind;
using kernels::MathMode;
using kernels::OptimizerKind;
using kernels::Precision;
using kernels::Target;

constexpr size_t kBatches[] = {21, 21, 8};
constexpr size_t kExamples = 50;
constexpr size_t kLargestBatch = 21;
constexpr double kLearningRate = 0.01;
constexpr double kWeightDecay = 0.1;

// All activations; widths of less and more than one panel, and of several; first layers split by
// columns and by rows; the upper three are tiny.
struct Net {
  const char* model;
  bool has_pixels = true;
};
constexpr Net kNets[] = {
    {"2-8-sigmoid-8-1", false},
    {"20-17-tanh-9-silu-33-4"},
    {"11-1"},
    {"150-40"},
    {"90-131-leaky_relu-24-identity-70"},
    {"40-64-sigmoid-65-tanh-35-silu-3"},
    {"33-70-70-70-70-34-5"},
};

struct Tolerance {
  double loss;     // of the mean loss, relative to 1 + loss
  double weights;  // |w - textbook's w| / |textbook's w - start|, both Euclidean norms
};

Tolerance ToleranceOf(Precision precision, OptimizerKind optimizer) {
  // These' first steps are signs of gradients, of which some near 0 change.
  const bool signs = optimizer == OptimizerKind::kAdam || optimizer == OptimizerKind::kRmsProp;
  if (precision == Precision::kBf16) return {1e-2, signs ? 0.3 : 0.1};
  if (precision == Precision::kBf16x3) return {1e-4, signs ? 3e-2 : 1e-3};
  return {2e-6, signs ? 2e-3 : 1e-4};
}

// A row of kNets with a loss, and examples for it.
struct Problem {
  Problem(const Net& net, LossKind loss)
      : spec(WithLoss(Spec(net.model), loss)), has_pixels(net.has_pixels), start(spec, 7) {
    Stream stream(spec.parameter_count(), Purpose::kTest);
    // Biases start at 0, where a mistake would not show.
    for (float& p : start.parameters()) p += 0.1f * stream.Normal();
    examples = RandomExamples(kExamples, spec.inputs, spec.classes(), 0);
    for (uint8_t& pixel : examples.pixels) {
      if (stream.Below(3) > 0) pixel = 0;
    }
    if (has_pixels) return;
    examples.pixels = {};
    examples.values = AlignedBuffer<float>(kExamples * spec.inputs);
    for (float& v : examples.values) v = stream.Uniform(-1, 1);
  }

  static model::ModelSpec WithLoss(model::ModelSpec spec, LossKind loss) {
    spec.loss = loss;
    return spec;
  }

  Job job() const { return {spec, kLargestBatch, has_pixels}; }

  reference::Matrix Inputs(size_t begin, size_t n) const {
    reference::Matrix x(n, spec.inputs);
    for (size_t k = 0; k < x.data.size(); ++k) {
      const size_t at = begin * spec.inputs + k;
      x.data[k] = has_pixels ? examples.pixels[at] / 255.0 : examples.values[at];
    }
    return x;
  }

  model::ModelSpec spec;
  bool has_pixels;
  model::Model start;
  data::Examples examples;
};

struct Outcome {
  double loss = 0;
  size_t hits = 0;
  std::vector<float> parameters;
  std::vector<std::vector<float>> states;

  bool operator==(const Outcome&) const = default;
};

optim::OptimizerOptions OptionsOf(OptimizerKind kind) {
  // Rmsprop begins with three times its rate.
  const double part = kind == OptimizerKind::kRmsProp ? 0.1 : 1;
  return {.kind = kind, .learning_rate = part * kLearningRate, .weight_decay = kWeightDecay};
}

Outcome Train(const Problem& problem, const StrategyOptions& options, OptimizerKind kind) {
  model::Model model(problem.spec);
  std::ranges::copy(problem.start.parameters(), model.parameters().begin());
  optim::Optimizer optimizer(OptionsOf(kind), model.parameters().size());
  Outcome outcome;
  const auto strategy = MakeStrategy(options, kLargestBatch, model, optimizer);
  EXPECT_TRUE(strategy.ok()) << strategy.status();
  if (!strategy.ok()) return outcome;
  engine::StepResult sum;
  size_t begin = 0;
  std::vector<uint32_t> rows[std::size(kBatches)];
  for (size_t step = 0; step < std::size(kBatches); ++step) {
    for (size_t i = 0; i < kBatches[step]; ++i)
      rows[step].push_back(static_cast<uint32_t>(begin++));
  }
  for (size_t step = 0; step < std::size(kBatches); ++step) {
    const std::span<const uint32_t> next = step + 1 < std::size(kBatches)
                                               ? std::span<const uint32_t>(rows[step + 1])
                                               : std::span<const uint32_t>();
    sum += (*strategy)->Step({&problem.examples, rows[step], next});
  }
  (*strategy)->Store();
  outcome.loss = sum.loss();
  outcome.hits = sum.hits;
  outcome.parameters = ParametersOf(model);
  for (size_t k = 0; k < optimizer.state_count(); ++k) {
    outcome.states.emplace_back(optimizer.state(k).begin(), optimizer.state(k).end());
  }
  return outcome;
}

struct Expected {
  double loss = 0;
  size_t hits = 0;
  std::vector<double> parameters;
};

// With an update after every sample, or after every batch.
Expected TrainReference(const Problem& problem, OptimizerKind kind, bool per_sample) {
  reference::Mlp mlp = model::Textbook(problem.spec, problem.start.parameters());
  const std::unique_ptr<reference::Optimizer> optimizer = optim::Textbook(OptionsOf(kind));
  Expected expected;
  size_t begin = 0;
  for (const size_t batch : kBatches) {
    const size_t rows = per_sample ? 1 : batch;
    for (const size_t end = begin + batch; begin < end; begin += rows) {
      const reference::Matrix x = problem.Inputs(begin, rows);
      const std::vector<int> labels(problem.examples.labels.begin() + begin,
                                    problem.examples.labels.begin() + begin + rows);
      const std::vector<int> classes = mlp.Predict(x);
      for (size_t i = 0; i < rows; ++i) expected.hits += classes[i] == labels[i];
      expected.loss += mlp.Step(x, labels, *optimizer) * static_cast<double>(rows);
    }
  }
  expected.loss /= static_cast<double>(kExamples);
  expected.parameters = mlp.parameters();
  return expected;
}

// Problems and what they come to, made once.
struct Lesson {
  std::unique_ptr<Problem> problem;
  std::map<std::pair<OptimizerKind, bool>, Expected> expected;

  const Expected& Of(OptimizerKind kind, bool per_sample) {
    auto [at, is_new] = expected.try_emplace({kind, per_sample});
    if (is_new) at->second = TrainReference(*problem, kind, per_sample);
    return at->second;
  }
};

std::vector<Lesson>& Lessons() {
  static std::vector<Lesson>& lessons = *[] {
    auto* all = new std::vector<Lesson>;
    for (const Net& net : kNets) {
      for (const LossKind loss : kernels::kLossKinds) {
        all->push_back({std::make_unique<Problem>(net, loss), {}});
      }
    }
    return all;
  }();
  return lessons;
}

double Norm(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum);
}

void ExpectNear(const Problem& problem, const Outcome& actual, const Expected& expected,
                const Tolerance& tolerance) {
  EXPECT_NEAR(actual.loss, expected.loss, tolerance.loss * (1 + expected.loss));
  std::vector<double> apart, travelled;
  for (size_t i = 0; i < expected.parameters.size(); ++i) {
    apart.push_back(actual.parameters[i] - expected.parameters[i]);
    travelled.push_back(expected.parameters[i] - problem.start.parameters()[i]);
  }
  EXPECT_LE(Norm(apart), tolerance.weights * Norm(travelled));
}

class StrategyMatrixTest : public testing::TestWithParam<std::tuple<StrategyKind, Target>> {
 protected:
  StrategyKind kind() const { return std::get<0>(GetParam()); }
  const Target& target() const { return std::get<1>(GetParam()); }

  // What precisions and ways of input the strategy has.
  std::vector<StrategyOptions> Variants() const {
    // Hogwild on several shards computes something else, if it is alone.
    const size_t shards = kind() == StrategyKind::kHogwild ? 1 : 3;
    const StrategyOptions plain = {
        .kind = kind(), .target = target(), .shards = shards, .micro_batches = 3};
    std::vector<StrategyOptions> variants;
    for (const MathMode math : {MathMode::kFast, MathMode::kExact}) {
      variants.push_back(plain);
      variants.back().math = math;
      if (kind() != StrategyKind::kTensorParallel) continue;
      variants.push_back(variants.back());
      variants.back().skip_zeros = true;
    }
    if (kind() != StrategyKind::kTensorParallel) return variants;
    for (const Precision precision : kernels::kPrecisions) {
      if (precision == Precision::kFp32) continue;
      variants.push_back(plain);
      variants.back().precision = precision;
    }
    return variants;
  }

  // visit(lesson, options, optimizer) for all that there is.
  template <class Visit>
  void ForEach(Visit visit) {
    for (Lesson& lesson : Lessons()) {
      if (!CanTrain(kind(), target(), lesson.problem->job())) continue;
      for (const StrategyOptions& options : Variants()) {
        for (const OptimizerKind optimizer : kernels::kOptimizerKinds) {
          SCOPED_TRACE(testing::Message()
                       << Format(lesson.problem->spec) << ", " << Name(lesson.problem->spec.loss)
                       << ", " << kernels::Name(options.precision) << ", "
                       << kernels::Name(options.math) << ", " << kernels::Name(optimizer)
                       << (options.skip_zeros.value_or(false) ? ", skipping zeros" : ""));
          visit(lesson, options, optimizer);
        }
      }
    }
  }
};

TEST_P(StrategyMatrixTest, FollowsTheReference) {
  ForEach([&](Lesson& lesson, const StrategyOptions& options, OptimizerKind optimizer) {
    const bool per_sample = kind() == StrategyKind::kPerSample;
    const Expected& expected = lesson.Of(optimizer, per_sample);
    const Outcome actual = Train(*lesson.problem, options, optimizer);
    ExpectNear(*lesson.problem, actual, expected, ToleranceOf(options.precision, optimizer));
    if (options.precision == Precision::kFp32) {
      EXPECT_EQ(actual.hits, expected.hits);
    }
  });
}

TEST_P(StrategyMatrixTest, BitsDoNotDependOnTheNumberOfThreads) {
  if (!IsDeterministic(kind())) GTEST_SKIP() << "a named exception";
  size_t count = 0;
  ForEach([&](Lesson& lesson, StrategyOptions options, OptimizerKind optimizer) {
    // Optimizers in turn: none knows of threads.
    if (options.math == MathMode::kExact) return;
    constexpr size_t kKinds = std::size(kernels::kOptimizerKinds);
    const size_t turn = count++;
    if (turn % kKinds != turn / kKinds % kKinds) return;
    const Outcome expected = Train(*lesson.problem, options, optimizer);
    for (const int threads : kernels::kTeamSizes) {
      if (threads == 1) continue;
      options.threads = threads;
      EXPECT_EQ(Train(*lesson.problem, options, optimizer), expected) << threads << " threads";
    }
  });
}

INSTANTIATE_TEST_SUITE_P(, StrategyMatrixTest, testing::ValuesIn([] {
                           std::vector<std::tuple<StrategyKind, Target>> all;
                           for (const StrategyKind kind : kStrategyKinds) {
                             for (const Target& target : kernels::SupportedTargets()) {
                               const bool any =
                                   std::ranges::any_of(Lessons(), [&](const Lesson& lesson) {
                                     return CanTrain(kind, target, lesson.problem->job());
                                   });
                               if (any) all.emplace_back(kind, target);
                             }
                           }
                           return all;
                         }()),
                         [](const auto& info) {
                           std::string name = std::string(Name(std::get<0>(info.param))) + "_" +
                                              Name(std::get<1>(info.param));
                           std::ranges::replace(name, '/', '_');
                           return name;
                         });

// A strategy that can train nothing would be left out above.
TEST(StrategyMatrixCoverageTest, EveryStrategyTrainsSomethingOfEachLoss) {
  for (const StrategyKind kind : kStrategyKinds) {
    for (const LossKind loss : kernels::kLossKinds) {
      EXPECT_TRUE(std::ranges::any_of(Lessons(),
                                      [&](const Lesson& lesson) {
                                        return lesson.problem->spec.loss == loss &&
                                               CanTrain(kind, {}, lesson.problem->job());
                                      }))
          << Name(kind) << " " << Name(loss);
    }
  }
}

}  // namespace
}  // namespace mlp::train
