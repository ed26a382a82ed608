// One neuron: f(sum of w[i] * x[i] + b).
#pragma once

#include <cmath>
#include <vector>

#include "mlp/autograd/activation.h"
#include "mlp/autograd/tape.h"
#include "mlp/base/rng.h"

namespace mlp::autograd {

template <class T>
class Neuron {
 public:
  using Element = typename Tape<T>::Element;

  // Takes inputs + 1 parameters of the tape: weights uniform in +-sqrt(2 / inputs) (He et al. 2015
  // up to the shape), then a bias of 0.
  Neuron(Tape<T>& tape, size_t inputs, Activation activation, Stream& stream)
      : activation_(activation) {
    internal::ExpectSome(inputs, "a neuron: inputs", "give each layer a width above 0");
    std::vector<Element> initial(inputs + 1);
    const float scale = std::sqrt(2.0f / static_cast<float>(inputs));
    for (size_t i = 0; i < inputs; ++i) initial[i] = stream.Uniform(-scale, scale);
    parameters_ = tape.Parameters(initial);
  }

  Leaves<T> weights() const { return parameters_.Part(0, inputs()); }
  Leaf<T> bias() const { return parameters_[inputs()]; }
  // The weights, then the bias.
  Leaves<T> parameters() const { return parameters_; }
  size_t inputs() const { return parameters_.size() - 1; }
  Activation activation() const { return activation_; }

  // The sum before the activation. x: anything with [i] and size() whose elements are values or
  // leaves.
  template <class Inputs>
  Value<T> Sum(const Inputs& x) const {
    internal::ExpectCount(x.size(), inputs(), "a neuron: inputs",
                          "give it as many as it has weights");
    const Leaves<T> w = weights();
    Value<T> sum = bias();
    for (size_t i = 0; i < w.size(); ++i) sum += w[i] * x[i];
    return sum;
  }

  template <class Inputs>
  Value<T> operator()(const Inputs& x) const {
    return Activate(activation_, Sum(x));
  }

 private:
  Activation activation_;
  Leaves<T> parameters_;
};

}  // namespace mlp::autograd
