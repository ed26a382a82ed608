// The text of a model: what it may be, what it becomes, and what is said of mistakes.
#include "mlp/model/spec.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mlp/base/rng.h"

namespace mlp::model {
namespace {

using kernels::Activation;

TEST(SpecTest, ReluStandsBetweenAndLogitsAtTheEnd) {
  const ModelSpec expected = {784,
                              {{128, Activation::kRelu},
                               {128, Activation::kRelu},
                               {128, Activation::kRelu},
                               {10, Activation::kIdentity}}};
  for (const char* text : {"784-128-128-128-10", "784-128-128-128-10-softmax",
                           "784-128-relu-128-relu-128-relu-10-softmax", " 784 - 128-128-128 -10 ",
                           "[784, 128, 128, 128, 10]", "[784,128,128,128,10,'softmax']",
                           "[784, 128, 'relu', 128, \"relu\", 128, relu, 10]"}) {
    EXPECT_EQ(*ParseModelSpec(text), expected) << text;
  }
  EXPECT_EQ(expected.outputs(), 10u);
}

TEST(SpecTest, ListsAndActivations) {
  EXPECT_EQ(*ParseModelSpec("[2, 4, 'relu', 1]"),
            (ModelSpec{2,
                       {{4, Activation::kRelu}, {1, Activation::kIdentity}},
                       kernels::LossKind::kBinaryCrossEntropy}));
  EXPECT_EQ(
      *ParseModelSpec("784-128-tanh-64-silu-10"),
      (ModelSpec{
          784, {{128, Activation::kTanh}, {64, Activation::kSilu}, {10, Activation::kIdentity}}}));
  EXPECT_EQ(*ParseModelSpec("3-2"), (ModelSpec{3, {{2, Activation::kIdentity}}}));
  for (const Activation activation : kernels::kActivations) {
    const std::string text = absl::StrCat("5-4-", Name(activation), "-3");
    EXPECT_EQ(ParseModelSpec(text)->layers[0].activation, activation) << text;
  }
}

TEST(SpecTest, TheLastWordNamesTheLoss) {
  using kernels::LossKind;
  for (const auto& [text, loss, classes] :
       {std::tuple("2-8-8-1", LossKind::kBinaryCrossEntropy, 2u),
        std::tuple("2-8-8-1-sigmoid", LossKind::kBinaryCrossEntropy, 2u),
        std::tuple("2-8-8-3-sigmoid", LossKind::kBinaryCrossEntropy, 3u),
        std::tuple("[2, 8, 'relu', 1, 'linear']", LossKind::kMeanSquaredError, 2u),
        std::tuple("2-8-1-softmax", LossKind::kSoftmaxCrossEntropy, 1u),
        std::tuple("2-8-10", LossKind::kSoftmaxCrossEntropy, 10u)}) {
    EXPECT_EQ(ParseModelSpec(text)->loss, loss) << text;
    EXPECT_EQ(ParseModelSpec(text)->classes(), classes) << text;
  }
}

TEST(SpecTest, FormatIsReadBack) {
  for (const char* text : {"3-2", "784-128-128-128-10", "784-128-tanh-64-silu-10", "1-1-identity-1",
                           "8-4-sigmoid-4-4-leaky_relu-2", "2-8-8-1", "2-8-1-linear", "2-1-softmax",
                           "3-4-2-sigmoid", "3-4-2-linear"}) {
    EXPECT_EQ(Format(*ParseModelSpec(text)), text);
  }
  EXPECT_EQ(Format(*ParseModelSpec("[2, 4, 'relu', 1, 'sigmoid']")), "2-4-1");
  EXPECT_EQ(Format(*ParseModelSpec("[2, 4, 'relu', 3, 'softmax']")), "2-4-3");
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Stream stream(seed, Purpose::kTest);
    ModelSpec spec = {1 + stream.Below(2000), {}};
    for (uint32_t i = stream.Below(6); i > 0; --i) {
      const auto n = static_cast<uint32_t>(std::size(kernels::kActivations));
      spec.layers.push_back({1 + stream.Below(2000), kernels::kActivations[stream.Below(n)]});
    }
    spec.layers.push_back({1 + stream.Below(3), Activation::kIdentity});
    spec.loss = kernels::kLossKinds[stream.Below(std::size(kernels::kLossKinds))];
    const std::string text = Format(spec);
    EXPECT_EQ(*ParseModelSpec(text), spec) << "seed " << seed << ": " << text;
    EXPECT_EQ(Format(*ParseModelSpec(text)), text) << "seed " << seed;
  }
}

// The whole message for `text`.
std::string Message(const std::string& text) {
  const absl::StatusOr<ModelSpec> spec = ParseModelSpec(text);
  EXPECT_EQ(spec.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(spec.status().message());
}

TEST(SpecTest, MistakesAreNamedWithTheirPlace) {
  const auto wrong = [](const std::string& text, const std::string& rest) {
    EXPECT_EQ(Message(text),
              absl::StrCat("model \"", text, "\": expected ", rest, "; e.g. 784-128-128-128-10"));
  };
  wrong("", "a width from 1 to 1048576 as part 1, found \"\"");
  wrong("relu",
        "a width from 1 to 1048576 as part 1, found \"relu\" (activations stand behind their "
        "layer's width)");
  wrong("784-relu-10",
        "a width from 1 to 1048576 as part 2, found \"relu\" (activations stand behind their "
        "layer's width)");
  wrong("784-128-relu-tanh-10",
        "a width from 1 to 1048576 as part 4, found \"tanh\" (activations stand behind their "
        "layer's width)");
  wrong("784-0-10", "a width from 1 to 1048576 as part 2, found \"0\"");
  wrong("784-12x-10", "a width from 1 to 1048576 as part 2, found \"12x\"");
  wrong("-784-10", "a width from 1 to 1048576 as part 1, found \"\"");
  wrong("784--10", "a width from 1 to 1048576 as part 2, found \"\"");
  wrong("[784, 10", "a width from 1 to 1048576 as part 1, found \"[784, 10\"");
  wrong("[]", "a width from 1 to 1048576 as part 1, found \"\"");
  wrong("784", "at least an input and an output width, found one width");
  const std::string ends = "softmax, sigmoid, linear, or nothing, after the last width, found ";
  wrong("784-10-relu", ends + "\"relu\"");
  wrong("784-10-", ends + "\"\"");
  const std::string activations = "identity, relu, leaky_relu, sigmoid, tanh, silu";
  EXPECT_EQ(Message("784-128-gelu-10"),
            absl::StrCat("model \"784-128-gelu-10\": part 3: activation: expected one of ",
                         activations, ", found \"gelu\"; e.g. 784-128-tanh-10"));
  EXPECT_EQ(Message("[2, 4, 'softmax', 1]"),
            absl::StrCat("model \"[2, 4, 'softmax', 1]\": part 3: activation: expected one of ",
                         activations, ", found \"softmax\"; e.g. 784-128-tanh-10"));
}

TEST(SpecTest, LimitsHold) {
  EXPECT_EQ(ParseModelSpec("1048576-1")->inputs, size_t{1} << 20);
  EXPECT_NE(Message("1048577-1").find("found \"1048577\""), std::string::npos);
  EXPECT_NE(Message("99999999999999999999-1").find("as part 1"), std::string::npos);
  // 2^30 parameters are allowed, 2^30 + 1024 are not.
  EXPECT_TRUE(ParseModelSpec("1048575-1024").ok());
  EXPECT_NE(Message("1048576-1024").find("at most 1073741824 parameters, found 1073742848"),
            std::string::npos);
  const auto layers = [](size_t n) { return absl::StrJoin(std::vector<int>(n + 1, 1), "-"); };
  EXPECT_EQ(ParseModelSpec(layers(1000))->layers.size(), 1000u);
  EXPECT_NE(Message(layers(1001)).find("at most 1000 layers, found 1001"), std::string::npos);
}

}  // namespace
}  // namespace mlp::model
