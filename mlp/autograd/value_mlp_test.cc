// Neurons, layers, nets of values and their training.
#include "mlp/autograd/value_mlp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "mlp/autograd/loss.h"
#include "mlp/autograd/training.h"
#include "mlp/base/rng.h"
#include "mlp/data/dataset.h"
#include "mlp/reference/mlp.h"
#include "mlp/reference/optimizer.h"

namespace mlp::autograd {
namespace {

using V = Value<double>;
using kernels::Activation;

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
  for (const Activation activation : kernels::kActivations) {
    Tape<double> tape;
    ValueMlp<double> net(tape, {6, 9, 5, 4}, {.activation = activation});
    const reference::Activation reference_activation =
        *reference::ActivationByName(kernels::Name(activation));
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
      EXPECT_NEAR(own[i], gradient[i], 1e-14) << i << " " << kernels::Name(activation);
    }
  }
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

class TestLossFunction : public ::testing::Test {
 protected:
  Tape<double> tape_;
};

TEST_F(TestLossFunction, Computation) {
  const std::vector<V> logits = {1.0, 2.0, 3.0};
  const V loss = softmax_cross_entropy<double>(logits, 1);
  EXPECT_NEAR(loss.value(), std::log(std::exp(-1.0) + 1 + std::exp(1.0)), 1e-15);
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

TEST_F(TestLossFunction, CorrectPredictionHasLowLoss) {
  const std::vector<V> logits = {10.0, -10.0, -10.0};
  EXPECT_LT(softmax_cross_entropy<double>(logits, 0).value(), 1e-8);
  EXPECT_GT(softmax_cross_entropy<double>(logits, 1).value(), 19);
}

// n samples of `features` numbers; the class is the largest of the first `classes` of them.
data::Examples MakeExamples(size_t n, size_t features, size_t classes) {
  data::Examples examples;
  examples.size = n;
  examples.features = features;
  examples.values = AlignedBuffer<float>(n * features);
  examples.labels = AlignedBuffer<uint8_t>(n);
  Stream stream(4, Purpose::kTest);
  for (size_t i = 0; i < n; ++i) {
    float* x = examples.values.data() + i * features;
    for (size_t j = 0; j < features; ++j) x[j] = stream.Uniform(-1, 1);
    examples.labels[i] = static_cast<uint8_t>(std::max_element(x, x + classes) - x);
  }
  return examples;
}

std::vector<uint32_t> Rows(size_t n) {
  std::vector<uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

TrainingOptions SmallOptions() {
  TrainingOptions options;
  options.widths = {6, 12, 3};
  options.optimizer.learning_rate = 0.1;
  return options;
}

class TestTrainingFunctions : public ::testing::Test {
 protected:
  const data::Examples examples_ = MakeExamples(60, 6, 3);
  const std::vector<uint32_t> rows_ = Rows(60);
};

TEST_F(TestTrainingFunctions, TrainStepChangesParametersAndReturnsTheLoss) {
  ValueTraining<double> training(SmallOptions());
  const std::vector<double> before = training.net().ModelParameters();
  const reference::Mlp expected(
      {6, 12, 3}, {reference::Activation::kRelu, reference::Activation::kIdentity}, before);
  std::vector<double> x(examples_.values.begin(), examples_.values.begin() + 10 * 6);
  const std::vector<int> labels(examples_.labels.begin(), examples_.labels.begin() + 10);
  const double loss = training.TrainStep(examples_, Rows(10));
  EXPECT_NEAR(loss, expected.Loss(reference::Matrix(10, 6, x), labels), 1e-14);
  EXPECT_NE(training.net().ModelParameters(), before);
  EXPECT_EQ(training.net().gradients()[0], 0);
}

TEST_F(TestTrainingFunctions, PredictionHasOneClassForEachRow) {
  ValueTraining<double> training(SmallOptions());
  const std::vector<int> classes = training.Predict(examples_, rows_);
  ASSERT_EQ(classes.size(), 60u);
  for (const int c : classes) {
    EXPECT_GE(c, 0);
    EXPECT_LT(c, 3);
  }
}

TEST_F(TestTrainingFunctions, EvaluationIsThePartThatIsRight) {
  ValueTraining<double> training(SmallOptions());
  const std::vector<int> classes = training.Predict(examples_, rows_);
  int right = 0;
  for (size_t i = 0; i < 60; ++i) right += classes[i] == examples_.labels[i];
  EXPECT_EQ(training.Evaluate(examples_, rows_), right / 60.0);
  EXPECT_EQ(training.Evaluate(examples_, {}), 0);
}

TEST_F(TestTrainingFunctions, TrainingImproves) {
  ValueTraining<double> training(SmallOptions());
  const double before = training.Evaluate(examples_, rows_);
  const double first = training.TrainStep(examples_, rows_);
  double last = first;
  for (int step = 0; step < 100; ++step) last = training.TrainStep(examples_, rows_);
  EXPECT_LT(last, 0.6 * first);
  EXPECT_GT(training.Evaluate(examples_, rows_), before);
}

class TestIntegration : public TestTrainingFunctions {};

TEST_F(TestIntegration, CompleteTrainingLoop) {
  TrainingOptions options = SmallOptions();
  options.update_each_sample = true;
  ValueTraining<float> training(options);
  double last = 0;
  for (int epoch = 0; epoch < 20; ++epoch) {
    last = 0;
    for (size_t i = 0; i < 60; i += 5) {
      last += training.TrainStep(examples_, std::span(rows_).subspan(i, 5)) / 12;
    }
  }
  EXPECT_LT(last, 0.25);
  EXPECT_GT(training.Evaluate(examples_, rows_), 0.9);
}

TEST_F(TestIntegration, OverfitsATinyDataset) {
  TrainingOptions options = SmallOptions();
  options.widths = {6, 16, 3};
  options.update_each_sample = true;
  ValueTraining<double> training(options);
  double loss = 0;
  for (int epoch = 0; epoch < 400; ++epoch) loss = training.TrainStep(examples_, Rows(5));
  EXPECT_LT(loss, 0.01);
  EXPECT_EQ(training.Evaluate(examples_, Rows(5)), 1);
}

// The same weights after the same steps as the vectorised net in double, by both optimizers.
TEST_F(TestIntegration, SameWeightsAsTheVectorisedNet) {
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    TrainingOptions options = SmallOptions();
    options.optimizer = {.kind = kind, .learning_rate = 0.01, .weight_decay = 0.1};
    ValueTraining<double> training(options);
    reference::Mlp expected({6, 12, 3},
                            {reference::Activation::kRelu, reference::Activation::kIdentity},
                            training.net().ModelParameters());
    reference::Sgd sgd({.learning_rate = 0.01, .weight_decay = 0.1});
    reference::Adam adam({.learning_rate = 0.01, .weight_decay = 0.1});
    reference::Optimizer& optimizer =
        kind == kernels::OptimizerKind::kSgd ? static_cast<reference::Optimizer&>(sgd) : adam;
    for (size_t step = 0; step < 30; ++step) {
      const size_t begin = step * 10 % 60;
      const std::vector<double> x(examples_.values.begin() + begin * 6,
                                  examples_.values.begin() + (begin + 10) * 6);
      const std::vector<int> labels(examples_.labels.begin() + begin,
                                    examples_.labels.begin() + begin + 10);
      const double theirs = expected.Step(reference::Matrix(10, 6, x), labels, optimizer);
      const double ours = training.TrainStep(examples_, std::span(rows_).subspan(begin, 10));
      EXPECT_NEAR(ours, theirs, 1e-12);
    }
    const std::vector<double> w = training.net().ModelParameters();
    for (size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], expected.parameters()[i], 1e-12);
  }
}

// Sixteen samples at a time learn what one at a time does, a last batch that is not full included.
TEST_F(TestIntegration, PacksLearnTheSame) {
  for (const kernels::OptimizerKind kind : kernels::kOptimizerKinds) {
    TrainingOptions options = SmallOptions();
    options.optimizer = {.kind = kind, .learning_rate = 0.01};
    ValueTraining<double> one(options);
    ValueTraining<tape::Pack8d> eight(options);
    ValueTraining<tape::Pack4d> four(options);
    for (int step = 0; step < 20; ++step) {
      const double loss = one.TrainStep(examples_, rows_);
      EXPECT_NEAR(eight.TrainStep(examples_, rows_), loss, 1e-12);
      EXPECT_NEAR(four.TrainStep(examples_, rows_), loss, 1e-12);
    }
    const std::vector<double> w = one.net().ModelParameters();
    const std::vector<double> w8 = eight.net().ModelParameters();
    for (size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], w8[i], 1e-12);
    EXPECT_EQ(one.Predict(examples_, rows_), eight.Predict(examples_, rows_));
  }
  ValueTraining<float> one(SmallOptions());
  ValueTraining<tape::Pack16f> sixteen(SmallOptions());
  for (int step = 0; step < 20; ++step) {
    EXPECT_NEAR(sixteen.TrainStep(examples_, rows_), one.TrainStep(examples_, rows_), 1e-5);
  }
}

TEST_F(TestIntegration, L2PullsWeightsToZero) {
  TrainingOptions options = SmallOptions();
  options.l2 = 0.5;
  ValueTraining<double> training(options);
  const std::vector<double> before = training.net().ModelParameters();
  ValueTraining<double> without(SmallOptions());
  training.TrainStep(examples_, rows_);
  without.TrainStep(examples_, rows_);
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_NEAR(training.net().ModelParameters()[i],
                without.net().ModelParameters()[i] - 0.1 * 0.5 * before[i], 1e-15);
  }
}

TEST_F(TestIntegration, DropoutTrains) {
  TrainingOptions options = SmallOptions();
  options.dropout = 0.3;
  options.optimizer.learning_rate = 0.05;
  ValueTraining<double> training(options);
  for (int step = 0; step < 300; ++step) training.TrainStep(examples_, rows_);
  EXPECT_GT(training.Evaluate(examples_, rows_), 0.85);
  EXPECT_FALSE(Validate(TrainingOptions{.dropout = 1}).ok());
  EXPECT_FALSE(Validate(TrainingOptions{.l2 = -1}).ok());
  EXPECT_FALSE(Validate(TrainingOptions{.widths = {3}}).ok());
  EXPECT_TRUE(Validate(options).ok());
}

}  // namespace
}  // namespace mlp::autograd
