// Activations and specs of nets of values, by name.
#include "mlp/autograd/net_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/reference/activation.h"

namespace mlp::autograd {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Activation, NamesAreReadBackAndKnownToTheReference) {
  for (const Activation activation : kActivations) {
    EXPECT_EQ(*ParseActivation(Name(activation)), activation);
    EXPECT_TRUE(reference::ActivationByName(Name(activation)).has_value()) << Name(activation);
  }
  EXPECT_EQ(kActivations.size(), reference::kActivations.size());
}

TEST(Activation, ThoseOfVectorisedNetsAreAmongThem) {
  for (const kernels::Activation activation : kernels::kActivations) {
    EXPECT_EQ(Name(Activation(activation)), kernels::Name(activation));
    EXPECT_EQ(Activation(activation).vectorised(), activation);
  }
  EXPECT_EQ(Activation(Activation::kGelu).vectorised(), std::nullopt);
}

TEST(NetSpec, ReadsWidthsAndActivations) {
  const NetSpec plain = *ParseNetSpec("784-16-10");
  EXPECT_EQ(plain.widths, (std::vector<size_t>{784, 16, 10}));
  EXPECT_EQ(plain.activations, (std::vector<Activation>{Activation::kRelu}));
  const NetSpec mixed = *ParseNetSpec("[8, 7, 'gelu', 6, 5, 'elu', 4, 'softplus', 3, 'softmax']");
  EXPECT_EQ(mixed.widths, (std::vector<size_t>{8, 7, 6, 5, 4, 3}));
  EXPECT_EQ(mixed.activations, (std::vector<Activation>{Activation::kGelu, Activation::kRelu,
                                                        Activation::kElu, Activation::kSoftplus}));
  EXPECT_TRUE(ParseNetSpec("4-3")->activations.empty());
}

TEST(NetSpec, TextsAreReadBack) {
  for (const std::string text :
       {"4-3", "784-16-10", "8-7-gelu-6-5-elu-3", "2-4-identity-1-softmax"}) {
    EXPECT_EQ(Format(*ParseNetSpec(text)), text);
  }
  for (const Activation activation : kActivations) {
    const NetSpec spec = {{5, 4, 3, 2}, {activation, Activation::kRelu}};
    EXPECT_EQ(*ParseNetSpec(Format(spec)), spec) << Name(activation);
  }
}

TEST(NetSpec, WhatIsWrongIsSaid) {
  const absl::Status unknown = ParseNetSpec("784-16-swish-8-mish-10").status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(unknown.message(), HasSubstr("\"784-16-swish-8-mish-10\": part 3"));
  EXPECT_THAT(unknown.message(), HasSubstr("found \"swish\""));
  for (const Activation activation : kActivations) {
    EXPECT_THAT(unknown.message(), HasSubstr(Name(activation)));
  }
  const absl::Status other_loss = ParseNetSpec("784-16-gelu-10-linear").status();
  EXPECT_EQ(other_loss.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(other_loss.message(), AllOf(HasSubstr("expected softmax"), HasSubstr("linear")));
  EXPECT_THAT(ParseNetSpec("2-8-1").status().message(), HasSubstr("found sigmoid"));
  EXPECT_FALSE(ParseNetSpec("784").ok());
  EXPECT_FALSE(ParseNetSpec("784-0-10").ok());
}

}  // namespace
}  // namespace mlp::autograd
