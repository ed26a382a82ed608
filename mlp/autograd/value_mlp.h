// A multilayer perceptron of values: every weight is a parameter of the tape, every product is
// recorded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "mlp/autograd/layer.h"
#include "mlp/autograd/net_spec.h"

namespace mlp::autograd {

struct ValueMlpOptions {
  Activation activation = Activation::kRelu;  // of all layers but the last
  uint64_t seed = 1;
};

template <class T>
class ValueMlp {
 public:
  using Element = typename Tape<T>::Element;

  // widths: inputs, then the outputs of each layer. At least two. The last layer is linear.
  ValueMlp(Tape<T>& tape, std::span<const size_t> widths, const ValueMlpOptions& options = {})
      : ValueMlp(tape, MakeNetSpec({widths.begin(), widths.end()}, options.activation),
                 options.seed) {}
  ValueMlp(Tape<T>& tape, std::initializer_list<size_t> widths, const ValueMlpOptions& options = {})
      : ValueMlp(tape, std::span<const size_t>(widths.begin(), widths.size()), options) {}
  // Layers with activations of their own: see ParseNetSpec.
  ValueMlp(Tape<T>& tape, const NetSpec& spec, uint64_t seed = 1) : tape_(tape) {
    const std::vector<size_t>& widths = spec.widths;
    ExpectWidths(widths.size());
    internal::ExpectCount(spec.activations.size(), widths.size() - 2, "a net: activations",
                          "give it one for each layer but the last");
    for (size_t i = 0; i + 1 < widths.size(); ++i) {
      Stream stream(seed, Purpose::kInitialization, 0, static_cast<uint32_t>(i));
      const bool last = i + 2 == widths.size();
      layers_.emplace_back(tape, widths[i], widths[i + 1],
                           last ? Activation(Activation::kIdentity) : spec.activations[i], stream);
      outputs_.emplace_back(widths[i + 1]);
    }
  }

  const std::vector<Layer<T>>& layers() const { return layers_; }
  size_t inputs() const { return layers_.front().inputs(); }
  size_t outputs() const { return layers_.back().outputs(); }

  // All parameters, layer after layer and neuron after neuron; their numbers and gradients.
  // Another net's on the same tape are not among them.
  Leaves<T> parameters() const { return layers_.front().parameters().Part(0, Count()); }
  std::span<Element> numbers() { return tape_.parameters().subspan(Offset(), Count()); }
  std::span<const Element> gradients() const {
    return tape_.gradients().subspan(Offset(), Count());
  }
  void ZeroGradients() {
    std::ranges::fill(tape_.mutable_gradients().subspan(Offset(), Count()), Element(0));
  }

  // The logits. They stay valid until the next call or a rewind; no memory is allocated.
  template <class Inputs>
  std::span<const Value<T>> operator()(const Inputs& x) {
    return Forward(x, [](size_t, std::span<Value<T>>) {});
  }

  // The same; `between(layer, values)` may change what each hidden layer hands on: dropout, or, of
  // a net with the activation kIdentity, any function of values, also one with parameters of its
  // own.
  template <class Inputs, class Between>
  std::span<const Value<T>> Forward(const Inputs& x, Between between) {
    layers_[0].Forward(x, std::span<Value<T>>(outputs_[0]));
    for (size_t i = 1; i < layers_.size(); ++i) {
      between(i - 1, std::span<Value<T>>(outputs_[i - 1]));
      layers_[i].Forward(std::span<const Value<T>>(outputs_[i - 1]),
                         std::span<Value<T>>(outputs_[i]));
    }
    return outputs_.back();
  }

  // Its parameters in the layout of mlp::model::Model and reference::Mlp: of each layer W [in, out]
  // row-major, then b [out]; and back.
  std::vector<double> ModelParameters() {
    std::vector<double> model(Count());
    EachParameter([&](size_t mine, size_t models) { model[models] = numbers()[mine]; });
    return model;
  }
  template <class S>
  void SetModelParameters(std::span<const S> model) {
    internal::ExpectCount(model.size(), Count(), "SetModelParameters: numbers",
                          "take those of a model with the same widths");
    EachParameter(
        [&](size_t mine, size_t models) { numbers()[mine] = static_cast<Element>(model[models]); });
  }

 private:
  size_t Offset() const { return layers_.front().parameters().first() - tape::kFirstId; }
  size_t Count() const {
    size_t count = 0;
    for (const Layer<T>& layer : layers_) count += layer.outputs() * (layer.inputs() + 1);
    return count;
  }
  template <class F>
  void EachParameter(F f) const {
    size_t begin = 0;
    for (const Layer<T>& layer : layers_) {
      const size_t in = layer.inputs(), out = layer.outputs();
      for (size_t k = 0; k < out; ++k) {
        for (size_t i = 0; i <= in; ++i) f(begin + k * (in + 1) + i, begin + i * out + k);
      }
      begin += out * (in + 1);
    }
  }

  Tape<T>& tape_;
  std::vector<Layer<T>> layers_;
  std::vector<std::vector<Value<T>>> outputs_;  // of each layer, used again by every call
};

}  // namespace mlp::autograd
