#include "mlp/base/check.h"

#include <gtest/gtest.h>

namespace mlp {
namespace {

TEST(CheckDeathTest, NamesPlaceConditionAndBothValues) {
  EXPECT_DEATH(MLP_CHECK(1 > 2), "check_test.cc:[0-9]+: check failed: 1 > 2");
  const int rows = 3;
  EXPECT_DEATH(MLP_CHECK_EQ(rows, 4), "rows == 4 \\(3 against 4\\)");
}

TEST(CheckTest, EvaluatesItsArgumentsOnceAndPasses) {
  int calls = 0;
  MLP_CHECK_EQ(++calls, 1);
  MLP_CHECK_LE(calls, 1);
  MLP_CHECK(calls == 1);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace mlp
