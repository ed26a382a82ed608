// Every schedule against its closed form.
#include "mlp/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

namespace mlp::optim {
namespace {

constexpr size_t kStepsPerEpoch = 10;

// Of each step of so many epochs.
std::vector<double> Factors(const ScheduleOptions& options, size_t epochs) {
  std::vector<double> factors;
  for (size_t step = 0; step < epochs * kStepsPerEpoch; ++step) {
    factors.push_back(ScheduleFactor(options, {step, kStepsPerEpoch, epochs}));
  }
  return factors;
}

TEST(ScheduleTest, ConstantIsAllOfIt) {
  for (const double factor : Factors({}, 3)) EXPECT_EQ(factor, 1);
}

TEST(ScheduleTest, StepFallsEverySoManyEpochs) {
  const auto factors = Factors({.kind = ScheduleKind::kStep, .decay = 0.1, .decay_every = 2}, 5);
  for (size_t i = 0; i < factors.size(); ++i) {
    const double expected = i < 20 ? 1 : i < 40 ? 0.1 : 0.01;
    EXPECT_DOUBLE_EQ(factors[i], expected) << i;
  }
}

TEST(ScheduleTest, ExponentialFallsAfterEachEpoch) {
  const auto factors = Factors({.kind = ScheduleKind::kExponential, .decay = 0.999}, 1000);
  double expected = 1;
  for (size_t i = 0; i < factors.size(); ++i) {
    if (i > 0 && i % kStepsPerEpoch == 0) expected *= 0.999;
    ASSERT_NEAR(factors[i], expected, 1e-13) << i;
  }
  EXPECT_NEAR(factors.back(), 0.368063, 1e-6);  // 0.999^999
}

TEST(ScheduleTest, LinearFallsByTheSameAmountEachStep) {
  const auto factors = Factors({.kind = ScheduleKind::kLinear, .decay_to = 0.2}, 2);
  for (size_t i = 0; i < factors.size(); ++i) {
    EXPECT_NEAR(factors[i], 1 - 0.04 * static_cast<double>(i), 1e-15) << i;
  }
}

TEST(ScheduleTest, CosineFallsAsHalfACosine) {
  const auto factors = Factors({.kind = ScheduleKind::kCosine, .decay_to = 0.1}, 2);
  for (size_t i = 0; i < factors.size(); ++i) {
    // cos^2(x / 2) = (1 + cos x) / 2
    const double half = std::cos(std::numbers::pi * static_cast<double>(i) / 40);
    EXPECT_NEAR(factors[i], 0.1 + 0.9 * half * half, 1e-15) << i;
  }
  EXPECT_NEAR(factors[10], 0.55, 1e-15);
}

TEST(ScheduleTest, WarmupRisesFirstAndTheFallBeginsAfterIt) {
  for (const ScheduleKind kind : kScheduleKinds) {
    const auto factors = Factors({.kind = kind, .warmup = 0.5}, 4);
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(factors[i], 0.2 * static_cast<double>(i + 1), 1e-15) << Name(kind) << i;
    }
    EXPECT_EQ(factors[5], 1) << Name(kind);
  }
  const auto factors = Factors({.kind = ScheduleKind::kLinear, .warmup = 1}, 2);
  EXPECT_NEAR(factors[15], 0.5, 1e-15);
  // Epochs count from the start.
  EXPECT_NEAR(Factors({.kind = ScheduleKind::kExponential, .decay = 0.5, .warmup = 1}, 3)[10], 0.5,
              1e-15);
  // Longer than training: it never gets there.
  const auto rising = Factors({.warmup = 10}, 2);
  EXPECT_LE(rising.back(), 1);
  EXPECT_GT(rising.back(), rising.front());
}

TEST(ScheduleTest, EachStartsAtAllOfItAndNeverRisesAgain) {
  for (const ScheduleKind kind : kScheduleKinds) {
    for (const double warmup : {0.0, 0.3, 1.0, 1.25}) {
      const ScheduleOptions options = {.kind = kind, .decay = 0.5, .warmup = warmup};
      const auto factors = Factors(options, 30);
      const size_t first = std::max<size_t>(1, static_cast<size_t>(10 * warmup)) - 1;
      for (size_t i = 0; i < factors.size(); ++i) {
        EXPECT_GT(factors[i], 0);
        EXPECT_LE(factors[i], 1);
        // In the warm-up they may rise; what falls by epochs falls meanwhile.
        if (i > first + 10) {
          EXPECT_LE(factors[i], factors[i - 1]) << Name(kind) << " " << warmup << " " << i;
        }
      }
      for (size_t epoch = 0; epoch < 30; ++epoch) {
        if (!IsConstantWithin(options, epoch)) continue;
        for (size_t i = 1; i < kStepsPerEpoch; ++i) {
          EXPECT_EQ(factors[epoch * kStepsPerEpoch + i], factors[epoch * kStepsPerEpoch]);
        }
      }
    }
  }
  EXPECT_TRUE(IsConstantWithin({.kind = ScheduleKind::kExponential, .warmup = 1}, 1));
  EXPECT_FALSE(IsConstantWithin({.kind = ScheduleKind::kExponential, .warmup = 1}, 0));
  EXPECT_FALSE(IsConstantWithin({.kind = ScheduleKind::kCosine}, 7));
}

TEST(ScheduleTest, NothingToDivideByNever) {
  EXPECT_GT(ScheduleFactor({.kind = ScheduleKind::kExponential, .decay = 1e-9},
                           {1'000'000, 1, 2'000'000}),
            0);
  EXPECT_EQ(ScheduleFactor({.kind = ScheduleKind::kCosine}, {0, 1, 0}), 1);
  // Beyond the end, as a training that is resumed with fewer epochs may be asked.
  EXPECT_EQ(ScheduleFactor({.kind = ScheduleKind::kCosine}, {99, 10, 5}),
            ScheduleFactor({.kind = ScheduleKind::kCosine}, {49, 10, 5}));
}

TEST(ScheduleTest, ValuesThatMakeNoSenseAreNamed) {
  const auto message = [](const ScheduleOptions& options) {
    return std::string(Validate(options).message());
  };
  EXPECT_EQ(message({}), "");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {0.0, -0.5, 1.1, nan}) {
    EXPECT_EQ(message({.decay = bad}).find("--decay: expected a number in (0, 1]"), 0u) << bad;
  }
  EXPECT_EQ(message({.decay_every = 0}),
            "--decay_every: expected a number of epochs from 1, found 0; 10 is the default");
  for (const double bad : {-0.1, 1.1, nan}) {
    EXPECT_EQ(message({.decay_to = bad}).find("--decay_to: expected a number from 0 to 1"), 0u);
  }
  for (const double bad : {-1.0, nan, std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(message({.warmup = bad}).find("--warmup: expected a number of epochs from 0"), 0u);
  }
}

TEST(ScheduleTest, NamesAreReadBack) {
  for (const ScheduleKind kind : kScheduleKinds) {
    EXPECT_EQ(*ParseScheduleKind(Name(kind)), kind);
    EXPECT_NE(Purpose(kind), "");
  }
  EXPECT_NE(ParseScheduleKind("noam").status().message().find("exponential, linear, cosine"),
            std::string::npos);
}

}  // namespace
}  // namespace mlp::optim
