// Neurons side by side: all see the same inputs.
#pragma once

#include <span>
#include <vector>

#include "mlp/autograd/neuron.h"

namespace mlp::autograd {

template <class T>
class Layer {
 public:
  Layer(Tape<T>& tape, size_t inputs, size_t outputs, Activation activation, Stream& stream) {
    internal::ExpectSome(outputs, "a layer: neurons", "give each layer a width above 0");
    for (size_t k = 0; k < outputs; ++k) neurons_.emplace_back(tape, inputs, activation, stream);
  }

  const std::vector<Neuron<T>>& neurons() const { return neurons_; }
  size_t inputs() const { return neurons_.front().inputs(); }
  size_t outputs() const { return neurons_.size(); }
  // One neuron's after the other.
  Leaves<T> parameters() const {
    return neurons_.front().parameters().Part(0, outputs() * (inputs() + 1));
  }

  // out[k] = the k-th neuron's output. All sums come first, so that their activations are one
  // record.
  template <class Inputs>
  void Forward(const Inputs& x, std::span<Value<T>> out) const {
    internal::ExpectCount(out.size(), outputs(), "Layer::Forward: outputs",
                          "give it room for one of each neuron");
    for (size_t k = 0; k < out.size(); ++k) out[k] = neurons_[k].Sum(x);
    const Activation activation = neurons_.front().activation();
    for (Value<T>& value : out) value = Activate(activation, std::move(value));
  }

  template <class Inputs>
  std::vector<Value<T>> operator()(const Inputs& x) const {
    std::vector<Value<T>> out(outputs());
    Forward(x, std::span<Value<T>>(out));
    return out;
  }

 private:
  std::vector<Neuron<T>> neurons_;
};

}  // namespace mlp::autograd
