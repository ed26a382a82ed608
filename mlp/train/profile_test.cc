// What strategies note in a profile, and that they compute the same with one.
#include "mlp/base/profile.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

#include "mlp/optim/optimizer.h"
#include "mlp/train/strategies/strategy.h"
#include "mlp/train/testing.h"

namespace mlp::train {
namespace {

constexpr size_t kSamples = 40;
constexpr size_t kSteps = 3;
constexpr size_t kInputs = 50;
constexpr int kThreads = 2;

model::ModelSpec TestSpec() { return Spec("50-64-tanh-32-10"); }

std::vector<float> TrainWith(StrategyOptions options, Profile* profile,
                             const model::ModelSpec& spec = TestSpec()) {
  const data::Examples examples = RandomExamples(kSamples, kInputs, 10, 0);
  std::vector<uint32_t> rows(kSamples);
  std::iota(rows.begin(), rows.end(), 0);
  model::Model model(spec, 1);
  optim::Optimizer optimizer({}, model.parameters().size());
  options.profile = profile;
  auto strategy = MakeStrategy(options, kSamples, model, optimizer);
  EXPECT_TRUE(strategy.ok());
  for (size_t step = 0; step < kSteps; ++step) (*strategy)->Step({&examples, rows});
  (*strategy)->Store();
  return ParametersOf(model);
}

StrategyOptions OptionsOf(StrategyKind kind) {
  StrategyOptions options;
  options.kind = kind;
  // One thread where several race.
  options.threads = IsDeterministic(kind) ? kThreads : 1;
  return options;
}

std::vector<StrategyOptions> Strategies() {
  std::vector<StrategyOptions> all;
  for (const StrategyKind kind : kStrategyKinds) {
    if (CanTrain(kind, {}, {TestSpec()})) all.push_back(OptionsOf(kind));
  }
  all.push_back(OptionsOf(StrategyKind::kMaterialized));
  all.back().clip_norm = 0.01;
  all.push_back(OptionsOf(StrategyKind::kTensorParallel));
  all.back().skip_zeros = true;
  for (const kernels::Precision precision : kernels::kPrecisions) {
    all.push_back(OptionsOf(StrategyKind::kTensorParallel));
    all.back().precision = precision;
  }
  return all;
}

TEST(ProfileTest, ChangesNoBits) {
  for (const StrategyOptions& options : Strategies()) {
    Profile profile(kThreads, 3);
    EXPECT_EQ(TrainWith(options, &profile), TrainWith(options, nullptr)) << Name(*options.kind);
  }
}

// Steps of tiny models are too short for more than one span a call.
TEST(ProfileTest, TinyModelsNoteTheirSteps) {
  const StrategyOptions options = OptionsOf(StrategyKind::kTiny);
  Profile profile(kThreads, 2);
  EXPECT_EQ(TrainWith(options, &profile, Spec("50-8-10")),
            TrainWith(options, nullptr, Spec("50-8-10")));
  EXPECT_EQ(profile.lanes()[0].Spans().size(), kSteps);
}

TEST(ProfileTest, SpansOfAThreadFollowEachOther) {
  for (const StrategyOptions& options : Strategies()) {
    Profile profile(kThreads, 3);
    TrainWith(options, &profile);
    for (int rank = 0; rank < options.threads; ++rank) {
      int64_t end = profile.start_ns();
      const std::vector<ProfileSpan> spans = profile.lanes()[static_cast<size_t>(rank)].Spans();
      // Per sample everything is the first thread's.
      EXPECT_EQ(spans.empty(), rank > 0 && options.kind == StrategyKind::kPerSample);
      for (const ProfileSpan& span : spans) {
        EXPECT_GE(span.begin_ns, end) << Name(*options.kind) << ": " << Name(span.op);
        EXPECT_GE(span.end_ns, span.begin_ns);
        end = span.end_ns;
      }
    }
  }
}

// Each multiply-add of the forward pass is counted once, whoever computes it.
TEST(ProfileTest, CountsTheWorkOfAllThreads) {
  const model::Model model(TestSpec(), 1);
  size_t multiply_adds = 0;
  for (size_t i = 0; i < model.layer_count(); ++i) multiply_adds += model.layer(i).multiply_adds();
  for (const StrategyOptions& options : Strategies()) {
    if (options.skip_zeros.value_or(false)) continue;
    Profile profile(kThreads, 3);
    TrainWith(options, &profile);
    double forward = 0;
    std::set<uint16_t> layers;
    std::set<ProfileOp> ops;
    for (const Profile::Summary& summary : profile.Summarize()) {
      ops.insert(summary.op);
      if (summary.op != ProfileOp::kForward) continue;
      forward += summary.work.flop;
      layers.insert(summary.layer);
    }
    const double expected = 2.0 * static_cast<double>(kSteps * kSamples * multiply_adds);
    EXPECT_NEAR(forward, expected, 1e-9 * expected) << Name(*options.kind);
    EXPECT_EQ(layers, (std::set<uint16_t>{0, 1, 2})) << Name(*options.kind);
    EXPECT_TRUE(ops.contains(ProfileOp::kLoss));
    EXPECT_TRUE(ops.contains(ProfileOp::kInputGradient));
    EXPECT_EQ(ops.contains(ProfileOp::kClip), options.clip_norm > 0);
  }
}

// Of random bytes some are 0; only products with the others count.
TEST(ProfileTest, CountsNoProductsWithSkippedZeros) {
  StrategyOptions options = OptionsOf(StrategyKind::kTensorParallel);
  options.skip_zeros = true;
  Profile profile(kThreads, 3);
  TrainWith(options, &profile);
  const data::Examples examples = RandomExamples(kSamples, kInputs, 10, 0);
  size_t pixels = 0;
  for (const uint8_t pixel : examples.pixels) pixels += pixel != 0;
  for (const Profile::Summary& summary : profile.Summarize()) {
    if (summary.op != ProfileOp::kForward || summary.layer != 0) continue;
    EXPECT_EQ(summary.work.flop, 2.0 * static_cast<double>(kSteps * pixels * 64));
  }
}

}  // namespace
}  // namespace mlp::train
