// Neurons, layers, nets of values, and their loss.
#include "mlp/autograd/value_mlp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "mlp/autograd/loss.h"
#include "mlp/base/rng.h"
#include "mlp/reference/mlp.h"

namespace mlp::autograd {
namespace {

using V = Value<double>;

std::vector<double> Gradients(const Tape<double>& tape) {
  return {tape.gradients().begin(), tape.gradients().end()};
}

class TestNeuron : public ::testing::Test {
 protected:
  Neuron<double> Make(size_t inputs, Activation activation) {
    return Neuron<double>(tape_, inputs, activation, stream_);
  }
  // w = 1, 2, 3, ... and b.
  void Set(double b) {
    const auto w = tape_.parameters();
    std::iota(w.begin(), w.end(), 1.0);
    w.back() = b;
  }
  Tape<double> tape_;
  Stream stream_{1, Purpose::kTest};
};

TEST_F(TestNeuron, Creation) {
  const auto neuron = Make(50, Activation::kRelu);
  EXPECT_EQ(neuron.inputs(), 50u);
  EXPECT_EQ(neuron.activation(), Activation::kRelu);
  EXPECT_EQ(neuron.bias().value(), 0);
  const double bound = std::sqrt(2.0 / 50);
  double least = 1, largest = -1;
  for (size_t i = 0; i < 50; ++i) {
    least = std::min(least, neuron.weights()[i].value());
    largest = std::max(largest, neuron.weights()[i].value());
  }
  EXPECT_GE(least, -bound);
  EXPECT_LE(largest, bound);
  EXPECT_GT(largest - least, bound);  // They differ.
}

TEST_F(TestNeuron, ForwardPass) {
  const auto neuron = Make(3, Activation::kRelu);
  Set(0.5);
  const std::vector<V> x = {1.0, -1.0, 2.0};
  EXPECT_EQ(neuron(x).value(), 1 - 2 + 6 + 0.5);
}

TEST_F(TestNeuron, ReluActivation) {
  const auto neuron = Make(2, Activation::kRelu);
  Set(0);
  EXPECT_EQ(neuron(std::vector<V>{-1.0, -1.0}).value(), 0);
  EXPECT_EQ(neuron(std::vector<V>{1.0, 1.0}).value(), 3);
}

TEST_F(TestNeuron, SmoothActivations) {
  const std::pair<Activation, double (*)(double)> activations[] = {
      {Activation::kTanh, [](double z) { return std::tanh(z); }},
      {Activation::kSigmoid, [](double z) { return 1 / (1 + std::exp(-z)); }},
      {Activation::kSilu, [](double z) { return z / (1 + std::exp(-z)); }}};
  for (const auto& [activation, f] : activations) {
    Tape<double> tape;
    const Neuron<double> neuron(tape, 2, activation, stream_);
    const double z = neuron.weights()[0].value() * 0.25 - neuron.weights()[1].value() * 0.75;
    const std::vector<V> inputs = {0.25, -0.75};
    EXPECT_NEAR(neuron(inputs).value(), f(z), 1e-15);
  }
}

TEST_F(TestNeuron, LinearActivation) {
  const auto neuron = Make(2, Activation::kIdentity);
  Set(-1);
  EXPECT_EQ(neuron(std::vector<V>{-3.0, 1.0}).value(), -3 + 2 - 1);
}

TEST_F(TestNeuron, ParameterManagement) {
  const auto neuron = Make(4, Activation::kRelu);
  EXPECT_EQ(neuron.parameters().size(), 5u);
  EXPECT_EQ(neuron.bias().id(), neuron.parameters()[4].id());
  Set(7);
  EXPECT_EQ(neuron.weights()[2].value(), 3);
  EXPECT_EQ(neuron.bias().value(), 7);
}

TEST_F(TestNeuron, Gradients) {
  const auto neuron = Make(3, Activation::kTanh);
  const std::vector<V> x = {0.5, -1.0, 2.0};
  const V y = neuron(x);
  tape_.Backward(y);
  const double slope = 1 - y.value() * y.value();
  const std::vector<double> g = mlp::autograd::Gradients(tape_);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(g[i], slope * x[i].value(), 1e-15);
    EXPECT_NEAR(x[i].gradient(), slope * neuron.weights()[i].value(), 1e-15);
  }
  EXPECT_NEAR(g[3], slope, 1e-15);
}

class TestLayer : public ::testing::Test {
 protected:
  Tape<double> tape_;
  Stream stream_{2, Purpose::kTest};
};

TEST_F(TestLayer, Creation) {
  const Layer<double> layer(tape_, 3, 4, Activation::kRelu, stream_);
  EXPECT_EQ(layer.inputs(), 3u);
  EXPECT_EQ(layer.outputs(), 4u);
  EXPECT_EQ(layer.neurons().size(), 4u);
}

TEST_F(TestLayer, ForwardPass) {
  const Layer<double> layer(tape_, 3, 4, Activation::kRelu, stream_);
  const std::vector<V> x = {1.0, 2.0, -1.0};
  const std::vector<V> y = layer(x);
  ASSERT_EQ(y.size(), 4u);
  for (size_t k = 0; k < 4; ++k) EXPECT_EQ(y[k].value(), layer.neurons()[k](x).value());
}

TEST_F(TestLayer, ParameterCount) {
  const Layer<double> layer(tape_, 3, 4, Activation::kRelu, stream_);
  EXPECT_EQ(layer.parameters().size(), 4u * (3 + 1));
  EXPECT_EQ(tape_.parameters().size(), 16u);
}

TEST_F(TestLayer, GradientReset) {
  const Layer<double> layer(tape_, 3, 4, Activation::kIdentity, stream_);
  const std::vector<V> x = {1.0, 2.0, -1.0};
  const std::vector<V> y = layer(x);
  tape_.Backward(y[0] + y[3]);
  EXPECT_EQ(Gradients(tape_)[1], 2);
  EXPECT_EQ(Gradients(tape_)[5], 0);
  tape_.ZeroGradients();
  EXPECT_EQ(Gradients(tape_), std::vector<double>(16));
}

class TestValueMLP : public ::testing::Test {
 protected:
  static std::vector<double> Inputs(size_t n, uint32_t index) {
    Stream stream(3, Purpose::kTest, 0, index);
    std::vector<double> x(n);
    for (double& number : x) number = stream.Uniform(-1, 1);
    return x;
  }
  Tape<double> tape_;
};

TEST_F(TestValueMLP, Creation) {
  const ValueMlp<double> net(tape_, {4, 8, 6, 3});
  ASSERT_EQ(net.layers().size(), 3u);
  EXPECT_EQ(net.inputs(), 4u);
  EXPECT_EQ(net.outputs(), 3u);
  EXPECT_EQ(net.layers()[0].neurons()[0].activation(), Activation::kRelu);
  EXPECT_EQ(net.layers()[1].neurons()[0].activation(), Activation::kRelu);
  EXPECT_EQ(net.layers()[2].neurons()[0].activation(), Activation::kIdentity);
}

TEST_F(TestValueMLP, ForwardMatchesTheVectorisedNet) {
  ValueMlp<double> net(tape_, {4, 8, 3});
  const reference::Mlp expected({4, 8, 3},
                                {reference::Activation::kRelu, reference::Activation::kIdentity},
                                net.ModelParameters());
  const std::vector<double> x = Inputs(4, 0);
  const Leaves<double> leaves = tape_.Inputs(x);
  const auto logits = net(leaves);
  const reference::Matrix out = expected.Forward(reference::Matrix(1, 4, x));
  for (size_t k = 0; k < 3; ++k) EXPECT_NEAR(logits[k].value(), out(0, k), 1e-14);
}

TEST_F(TestValueMLP, BackwardMatchesTheVectorisedNet) {
  for (const Activation activation : kActivations) {
    Tape<double> tape;
    ValueMlp<double> net(tape, {6, 9, 5, 4}, {.activation = activation});
    const reference::Activation reference_activation =
        *reference::ActivationByName(Name(activation));
    const reference::Mlp expected(
        {6, 9, 5, 4},
        {reference_activation, reference_activation, reference::Activation::kIdentity},
        net.ModelParameters());
    const std::vector<double> x = Inputs(6, 1);
    const Leaves<double> leaves = tape.Data(x);
    tape.Backward(softmax_cross_entropy<double>(net(leaves), 2));
    const std::vector<double> gradient = expected.Gradient(reference::Matrix(1, 6, x), {2});
    // From the net's order to the model's.
    std::ranges::copy(net.gradients(), net.numbers().begin());
    const std::vector<double> own = net.ModelParameters();
    for (size_t i = 0; i < gradient.size(); ++i) {
      EXPECT_NEAR(own[i], gradient[i], 1e-14) << i << " " << Name(activation);
    }
  }
}

// Layers with activations of their own, by name.
TEST_F(TestValueMLP, BackwardMatchesTheVectorisedNetOfASpec) {
  const absl::StatusOr<NetSpec> spec = ParseNetSpec("6-9-gelu-7-5-elu-4");
  ASSERT_TRUE(spec.ok()) << spec.status();
  ValueMlp<double> net(tape_, *spec);
  const reference::Mlp expected({6, 9, 7, 5, 4},
                                {reference::Activation::kGelu, reference::Activation::kRelu,
                                 reference::Activation::kElu, reference::Activation::kIdentity},
                                net.ModelParameters());
  const std::vector<double> x = Inputs(6, 1);
  const Leaves<double> leaves = tape_.Data(x);
  tape_.Backward(softmax_cross_entropy(net(leaves), 2));
  const std::vector<double> gradient = expected.Gradient(reference::Matrix(1, 6, x), {2});
  std::ranges::copy(net.gradients(), net.numbers().begin());
  const std::vector<double> own = net.ModelParameters();
  for (size_t i = 0; i < gradient.size(); ++i) EXPECT_NEAR(own[i], gradient[i], 1e-14) << i;
  // What was written for vectorised nets' activations goes on to work.
  Tape<double> tape;
  const ValueMlp<double> old(tape, {2, 3, 2}, {.activation = kernels::Activation::kTanh});
  EXPECT_EQ(old.layers()[0].neurons()[0].activation(), Activation::kTanh);
}

TEST_F(TestValueMLP, ParameterCount) {
  const ValueMlp<double> net(tape_, {784, 16, 10});
  EXPECT_EQ(net.parameters().size(), 784u * 16 + 16 + 16 * 10 + 10);
}

TEST_F(TestValueMLP, GradientReset) {
  ValueMlp<double> net(tape_, {4, 5, 3});
  const Leaves<double> x = tape_.Data(Inputs(4, 2));
  tape_.Backward(softmax_cross_entropy<double>(net(x), 0));
  EXPECT_TRUE(std::ranges::any_of(net.gradients(), [](double g) { return g != 0; }));
  net.ZeroGradients();
  EXPECT_TRUE(std::ranges::all_of(net.gradients(), [](double g) { return g == 0; }));
}

TEST_F(TestValueMLP, ModelParametersGoBothWays) {
  ValueMlp<double> net(tape_, {3, 4, 2});
  const std::vector<double> before(net.numbers().begin(), net.numbers().end());
  const std::vector<double> model = net.ModelParameters();
  std::ranges::fill(net.numbers(), 0);
  net.SetModelParameters<double>(model);
  EXPECT_TRUE(std::ranges::equal(net.numbers(), before));
}

// Each net knows its own.
TEST_F(TestValueMLP, TwoNetsOnOneTape) {
  ValueMlp<double> a(tape_, {2, 3, 2});
  ValueMlp<double> b(tape_, {2, 4, 2}, {.seed = 2});
  const size_t of_a = 2 * 3 + 3 + 3 * 2 + 2, of_b = 2 * 4 + 4 + 4 * 2 + 2;
  EXPECT_EQ(a.parameters().size(), of_a);
  EXPECT_EQ(b.parameters().size(), of_b);
  EXPECT_EQ(b.parameters().first(), a.parameters().first() + of_a);
  const Leaves<double> x = tape_.Data(Inputs(2, 3));
  tape_.Backward(softmax_cross_entropy<double>(a(x), 0) + softmax_cross_entropy<double>(b(x), 1));
  const std::vector<double> kept(b.gradients().begin(), b.gradients().end());
  const auto none = [](double g) { return g == 0; };
  EXPECT_FALSE(std::ranges::all_of(kept, none));
  a.ZeroGradients();
  EXPECT_TRUE(std::ranges::all_of(a.gradients(), none));
  EXPECT_TRUE(std::ranges::equal(b.gradients(), kept));
}

// Other functions than those of the matrix nets, and such that learn: a slope below 0 for each
// layer (He et al. 2015, PReLU), a parameter of the tape beside the net's.
TEST_F(TestValueMLP, ActivationsOfAUsersOwn) {
  Tape<double> tape;
  ValueMlp<double> net(tape, {5, 7, 6, 3}, {.activation = Activation::kIdentity});
  const Leaves<double> slopes = tape.Parameters(std::vector<double>{0.25, 0.1});
  const TapeMark mark = tape.Mark();
  const std::vector<double> numbers = Inputs(5, 4);
  const auto loss = [&](const auto& between) {
    tape.Rewind(mark);
    const Leaves<double> x = tape.Data(numbers);
    return softmax_cross_entropy<double>(net.Forward(x, between), 1);
  };
  const auto prelu = [&](size_t layer, std::span<V> h) {
    for (V& value : h) value = relu(value) - slopes[layer] * relu(-value);
  };
  const auto mixed = [](size_t layer, std::span<V> h) {
    for (V& value : h) value = layer == 0 ? elu(value) : gelu(softplus(value));
  };
  const auto expect_gradient = [&](const auto& between) {
    tape.ZeroGradients();
    tape.Backward(loss(between));
    const std::vector<double> gradient = Gradients(tape);
    for (size_t i = 0; i < gradient.size(); ++i) {
      double& w = tape.parameters()[i];
      const double center = w;
      const double step = 1e-6;
      w = center + step;
      const double right = loss(between).value();
      w = center - step;
      const double left = loss(between).value();
      w = center;
      EXPECT_NEAR(gradient[i], (right - left) / (2 * step), 1e-8) << i;
    }
    return gradient;
  };
  const std::vector<double> gradient = expect_gradient(prelu);
  EXPECT_NE(gradient[gradient.size() - 2], 0);
  EXPECT_NE(gradient[gradient.size() - 1], 0);
  expect_gradient(mixed);
}

class TestLossFunction : public ::testing::Test {
 protected:
  Tape<double> tape_;
};

TEST_F(TestLossFunction, Computation) {
  const std::vector<V> logits = {1.0, 2.0, 3.0};
  const V loss = softmax_cross_entropy<double>(logits, 1);
  EXPECT_NEAR(loss.value(), std::log(std::exp(-1.0) + 1 + std::exp(1.0)), 1e-15);
}

// Of whatever holds values.
TEST_F(TestLossFunction, TakesVectorsArraysAndSpans) {
  std::vector<V> logits = {1.0, 2.0, 3.0};
  const std::array<V, 3> array = {logits[0], logits[1], logits[2]};
  const double expected = softmax_cross_entropy<double>(logits, 1).value();
  EXPECT_EQ(softmax_cross_entropy(logits, 1).value(), expected);
  EXPECT_EQ(softmax_cross_entropy(array, 1).value(), expected);
  EXPECT_EQ(softmax_cross_entropy(std::span<V>(logits), 1).value(), expected);
  EXPECT_EQ(softmax_cross_entropy(std::span<const V>(logits), 1).value(), expected);
}

TEST_F(TestLossFunction, Gradients) {
  for (const double shift : {0.0, 1000.0, -1000.0}) {  // However large, nothing overflows.
    const std::vector<V> logits = {shift + 1.0, shift + 2.0, shift + 3.0};
    const V loss = softmax_cross_entropy<double>(logits, 1);
    tape_.Backward(loss);
    const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
    for (int k = 0; k < 3; ++k) {
      EXPECT_NEAR(logits[k].gradient(), std::exp(k + 1.0) / sum - (k == 1), 1e-13);
    }
  }
}

// It would be less than an ulp of a logit.
TEST_F(TestLossFunction, SmallLossesBesideLargeLogits) {
  for (const double shift : {0.0, 1e6}) {
    const std::vector<V> logits = {shift, shift - 20};
    const double loss = std::log1p(std::exp(-20.0));
    EXPECT_NEAR(softmax_cross_entropy<double>(logits, 0).value(), loss, 1e-6 * loss);
    EXPECT_NEAR(softmax_cross_entropy<double>(logits, 1).value(), 20 + loss, 1e-14);
  }
}

TEST_F(TestLossFunction, CorrectPredictionHasLowLoss) {
  const std::vector<V> logits = {10.0, -10.0, -10.0};
  EXPECT_LT(softmax_cross_entropy<double>(logits, 0).value(), 1e-8);
  EXPECT_GT(softmax_cross_entropy<double>(logits, 1).value(), 19);
}

// A class that cannot be: its logit is -infinity, also beside samples of which it is the label.
TEST_F(TestLossFunction, ImpossibleClasses) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<V> logits = {1.0, -kInfinity, 2.0};
  const V possible = softmax_cross_entropy<double>(logits, 2);
  const double expected = std::log(std::exp(-1.0) + 1);
  EXPECT_NEAR(possible.value(), expected, 1e-15);
  tape_.Backward(possible);
  const double slope = logits[0].gradient();
  EXPECT_EQ(logits[1].gradient(), 0);
  EXPECT_EQ(softmax_cross_entropy<double>(logits, 1).value(), kInfinity);

  Tape<tape::Pack4d> packed;
  const std::vector<Value<tape::Pack4d>> packs = {1.0, -kInfinity, 2.0};
  const auto loss = softmax_cross_entropy<tape::Pack4d>(packs, {2, 1, 2, 2});
  packed.Backward(loss);
  for (const int lane : {0, 2, 3}) {
    EXPECT_NEAR(loss.value()[lane], expected, 1e-15);
    EXPECT_EQ(packs[0].gradient()[lane], slope);
    EXPECT_EQ(packs[1].gradient()[lane], 0);
  }
  EXPECT_EQ(loss.value()[1], kInfinity);
}

TEST_F(TestLossFunction, LabelsOutOfRange) {
  const std::vector<V> logits = {1.0, 2.0};
  EXPECT_DEATH((void)softmax_cross_entropy<double>(logits, 2).value(),
               "label: expected 0 to 1, found 2");
  EXPECT_DEATH((void)softmax_cross_entropy<double>(logits, -1).value(), "check failed");
  Tape<tape::Pack4d> packed;
  const std::vector<Value<tape::Pack4d>> packs = {1.0, 2.0};
  EXPECT_DEATH((void)softmax_cross_entropy<tape::Pack4d>(packs, {0, 1, 2, 0}).value(),
               "check failed");
  EXPECT_DEATH((void)softmax_cross_entropy<tape::Pack4d>(packs, {0, -1, 1, 0}).value(),
               "check failed");
}

}  // namespace
}  // namespace mlp::autograd
