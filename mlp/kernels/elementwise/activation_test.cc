// Names of activations, and what is said of them.
#include "mlp/kernels/elementwise/activation.h"

#include <gtest/gtest.h>

#include <string>

#include "mlp/kernels/elementwise/activation_math.h"
#include "mlp/reference/activation.h"

namespace mlp::kernels {
namespace {

TEST(ActivationTest, NamesAreReadBackAndKnownToTheReference) {
  for (const Activation activation : kActivations) {
    EXPECT_EQ(*ParseActivation(Name(activation)), activation);
    EXPECT_TRUE(reference::ActivationByName(Name(activation)).has_value()) << Name(activation);
  }
}

TEST(ActivationTest, UnknownNamesAreToldWhatThereIs) {
  for (const char* name : {"", "Relu", "relu ", "gelu"}) {
    const absl::Status status = ParseActivation(name).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    for (const Activation activation : kActivations) {
      EXPECT_NE(status.message().find(Name(activation)), absl::string_view::npos);
    }
    EXPECT_NE(status.message().find("\"" + std::string(name) + "\""), absl::string_view::npos);
  }
}

// Slope(x, y) of functor F on doubles.
template <class F>
double Slope(double x, double y) {
  return F::template Slope<ExactMath>(x, y);
}

TEST(ActivationTest, SlopeFromOutputIsTrue) {
  constexpr double kInputs[] = {-30, -3, -1, -0.1, 0, 0.1, 1, 3, 30};
#define MLP_ACTIVATION(functor, name)                                              \
  {                                                                                \
    EXPECT_EQ(SlopeFromOutput(Activation::k##functor), functor::kSlopeFromOutput); \
    bool reads_x = false;                                                          \
    for (const double x : kInputs) {                                               \
      const double y = functor::Value<ExactMath>(x);                               \
      for (const double other : kInputs) {                                         \
        reads_x = reads_x || Slope<functor>(x, y) != Slope<functor>(other, y);     \
      }                                                                            \
    }                                                                              \
    EXPECT_EQ(reads_x, !functor::kSlopeFromOutput) << name;                        \
  }
#include "mlp/kernels/elementwise/activations.inc"
#undef MLP_ACTIVATION
}

// The formulas themselves, in double: what is left is their mathematics.
TEST(ActivationTest, FormulasInDoubleMatchTheReference) {
#define MLP_ACTIVATION(functor, name)                                          \
  for (double x = -20; x <= 20; x += 0.0625) {                                 \
    const reference::Activation f = *reference::ActivationByName(name);        \
    const double y = functor::Value<ExactMath>(x);                             \
    const double tolerance = functor::kSlopeFromOutput ? 3e-9 : 1e-15;         \
    EXPECT_NEAR(y, reference::Activate(f, x), tolerance*(1 + std::abs(x)));    \
    EXPECT_NEAR(Slope<functor>(x, y), reference::Derivative(f, x), tolerance); \
  }
#include "mlp/kernels/elementwise/activations.inc"
#undef MLP_ACTIVATION
}

}  // namespace
}  // namespace mlp::kernels
