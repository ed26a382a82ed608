#include "benchmarks/peers/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp::peers {
namespace {

using testing::HasSubstr;

Figures Make(std::optional<double> loss, std::optional<double> accuracy,
             std::optional<double> test) {
  return {{.ms = 1, .loss = loss, .accuracy = accuracy}, {.accuracy = test}};
}
const Figures kOurs = Make(0.3, 0.91, 0.95);

TEST(Verdict, EqualFiguresAgree) { EXPECT_EQ(Disagreement({}, {}, kOurs, kOurs, 1), ""); }

TEST(Verdict, EachFigureIsChecked) {
  EXPECT_THAT(Disagreement({}, {}, Make(0.33, 0.91, 0.95), kOurs, 1),
              HasSubstr("train loss 0.3300, ours 0.3000"));
  EXPECT_THAT(Disagreement({}, {}, Make(0.3, 0.90, 0.95), kOurs, 1),
              HasSubstr("train accuracy 90.00 %, ours 91.00 %"));
  EXPECT_THAT(Disagreement({}, {}, Make(0.3, 0.91, 0.93), kOurs, 4),
              HasSubstr("after epoch 4: test accuracy"));
  // Better is not the same, either.
  EXPECT_NE(Disagreement({}, {}, Make(0.2, 0.91, 0.95), kOurs, 1), "");
}

TEST(Verdict, AnotherOrderOrPrecisionMayDifferMore) {
  const Figures found = Make(0.33, 0.90, 0.94);
  EXPECT_NE(Disagreement({}, {}, found, kOurs, 1), "");
  EXPECT_EQ(Disagreement({.order = false}, {}, found, kOurs, 1), "");
  EXPECT_EQ(Disagreement({.weights = false}, {}, found, kOurs, 1), "");
  EXPECT_EQ(Disagreement({.precision = "bf16"}, {}, found, kOurs, 1), "");
}

TEST(Verdict, FewSamplesTellLess) {
  const Figures found = Make(0.33, 0.89, 0.93);
  const Samples few = {.train = 2000, .test = 500};
  EXPECT_NE(Disagreement({.order = false}, {}, found, kOurs, 1), "");
  EXPECT_EQ(Disagreement({.order = false}, few, found, kOurs, 1), "");
  EXPECT_THAT(Disagreement({.order = false}, few, Make(0.3, 0.8, 0.95), kOurs, 1),
              HasSubstr("off by more than 8.22 points"));
  // The same training is the same on any data.
  EXPECT_NE(Disagreement({}, few, found, kOurs, 1), "");
}

TEST(Verdict, WhatIsNotToldIsNotChecked) {
  EXPECT_EQ(Disagreement({}, {}, Make({}, {}, 0.95), kOurs, 1), "");
  EXPECT_THAT(Disagreement({}, {}, Make({}, {}, {}), kOurs, 1), HasSubstr("neither"));
}

TEST(Verdict, AnotherOptimizerIsAnotherJob) {
  EXPECT_THAT(Disagreement({.optimizer = "sgd"}, {}, kOurs, kOurs, 1), HasSubstr("sgd"));
}

TEST(Verdict, LateSmallLossesAreComparedByTheirSize) {
  EXPECT_EQ(Disagreement({}, {}, Make(0.0011, 1, 0.95), Make(0.0010, 1, 0.95), 30), "");
}

}  // namespace
}  // namespace mlp::peers
