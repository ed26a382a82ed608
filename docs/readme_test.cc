// The README's C++ compiles and does what it says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "docs/readme_includes.inc"

namespace {

TEST(ReadmeTest, ItsCodeRuns) {
  const std::vector<uint8_t> pixels(784);
#include "docs/readme_statements.inc"
  EXPECT_GT(accuracy, 0.95);
  EXPECT_EQ(engine.Classes().size(), 1u);
  EXPECT_EQ(c.value(), 6 + std::tanh(2.0));
  EXPECT_DOUBLE_EQ(a.gradient(), 3 + 1 - std::tanh(2.0) * std::tanh(2.0));
  EXPECT_LT(values.TrainStep(dataset->train, rows), first_loss);
  EXPECT_TRUE(std::ranges::any_of(net.gradients(), [](float g) { return g != 0; }));
}

}  // namespace
