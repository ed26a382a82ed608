// The code of docs/autograd.md compiles and does what it says.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "docs/autograd_includes.inc"

namespace {

TEST(AutogradPageTest, ItsCodeRuns) {
#include "docs/autograd_statements.inc"
  const double slope = 1 - std::pow(std::tanh(0.5 * 1 - 1 * 2 + 2 * 3), 2);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(tape.gradients()[i], 3 * slope * (i + 1), 1e-15);
  EXPECT_EQ(training.net().layers()[1].neurons()[0].activation(), mlp::autograd::Activation::kElu);
}

}  // namespace
