// This project's ways to differentiate the jobs.
#include <algorithm>
#include <cmath>
#include <utility>

#include "benchmarks/autodiff/engines.h"
#include "mlp/autograd/compiled.h"
#include "mlp/autograd/dot.h"
#include "mlp/autograd/tape.h"
#include "mlp/reference/scalar_tape.h"

namespace mlp::autodiff {
namespace {

using autograd::Leaves;
using autograd::Tape;
using autograd::TapeMark;
using autograd::Value;

std::vector<double> ToVector(std::span<const double> numbers) {
  return {numbers.begin(), numbers.end()};
}

// A number on the textbook's tape.
struct Textbook {
  static inline reference::ScalarTape* tape = nullptr;

  size_t node = 0;
  Textbook() = default;
  Textbook(double number) : node(tape->Input(number)) {}  // NOLINT: numbers are values
  static Textbook Of(size_t node) {
    Textbook result;
    result.node = node;
    return result;
  }
  static Textbook Apply(const char* op, Textbook a) { return Of(tape->Apply(op, a.node)); }
  static Textbook Apply(const char* op, Textbook a, Textbook b) {
    return Of(tape->Apply(op, a.node, b.node));
  }
  friend Textbook operator+(Textbook a, Textbook b) { return Apply("add", a, b); }
  friend Textbook operator-(Textbook a, Textbook b) { return Apply("sub", a, b); }
  friend Textbook operator*(Textbook a, Textbook b) { return Apply("mul", a, b); }
  Textbook& operator+=(Textbook b) { return *this = *this + b; }
  friend Textbook exp(Textbook a) { return Apply("exp", a); }
  friend Textbook log(Textbook a) { return Apply("log", a); }
  friend Textbook relu(Textbook a) { return Apply("relu", a); }
};

// What the sample engines on tapes share: weights as parameters, the input as a block.
template <class T>
struct SampleTape {
  std::shared_ptr<const SampleJob> job;
  Tape<T> tape;
  Leaves<T> w, x;
  TapeMark mark;

  SampleTape(std::shared_ptr<const SampleJob> sample, bool data) : job(std::move(sample)) {
    using Element = typename Tape<T>::Element;
    const std::vector<Element> weights(job->weights.begin(), job->weights.end());
    std::vector<T> numbers;
    for (const double number : job->x) numbers.push_back(T(number));
    w = tape.Parameters(weights);
    x = data ? tape.Data(numbers) : tape.Inputs(numbers);
    mark = tape.Mark();
  }
  void Begin() {
    tape.Rewind(mark);
    tape.ZeroGradients();
  }
};

template <class T, class Loss>
Engine SampleEngine(std::string name, const std::shared_ptr<const SampleJob>& job, bool data,
                    Loss loss) {
  const auto state = std::make_shared<SampleTape<T>>(job, data);
  constexpr size_t kWidth = tape::PackTraits<T>::kWidth;
  return {.name = std::move(name),
          .run =
              [state, loss] {
                state->Begin();
                const Value<T> value = loss(*state);
                state->tape.Backward(value);
                if constexpr (kWidth > 1) {
                  return static_cast<double>(value.value()[0]);
                } else {
                  return static_cast<double>(value.value());
                }
              },
          .gradient =
              [state] {
                const auto g = state->tape.gradients();
                std::vector<double> gradient(g.begin(), g.end());
                for (double& number : gradient) number /= kWidth;  // All samples are the same.
                return gradient;
              },
          .bytes = [state] { return static_cast<double>(state->tape.bytes_since(state->mark)); },
          .samples = kWidth};
}

// Neurons by dot nodes.
Value<double> DotLoss(SampleTape<double>& state) {
  using V = Value<double>;
  constexpr size_t kInputs = SampleJob::kInputs, kHidden = SampleJob::kHidden,
                   kOutputs = SampleJob::kOutputs;
  constexpr size_t kBias = kInputs * kHidden, kSecond = kBias + kHidden,
                   kSecondBias = kSecond + kHidden * kOutputs;
  const Leaves<double> w = state.w;
  std::array<V, kHidden> h;
  for (size_t j = 0; j < kHidden; ++j) {
    h[j] = dot(V(w[kBias + j]), w.Part(j * kInputs, kInputs), state.x);
  }
  for (V& value : h) value = relu(value);
  std::array<V, kOutputs> o;
  for (size_t k = 0; k < kOutputs; ++k) {
    o[k] =
        dot(V(w[kSecondBias + k]), w.Part(kSecond + k * kHidden, kHidden), std::span<const V>(h));
  }
  V sum = exp(o[0]);
  for (size_t k = 1; k < kOutputs; ++k) sum += exp(o[k]);
  return log(sum) - o[state.job->label];
}

// The same loss of plain numbers by vector sums.
double VectorisedPrimal(const SampleJob& job) {
  constexpr size_t kInputs = SampleJob::kInputs, kHidden = SampleJob::kHidden,
                   kOutputs = SampleJob::kOutputs;
  constexpr size_t kBias = kInputs * kHidden, kSecond = kBias + kHidden,
                   kSecondBias = kSecond + kHidden * kOutputs;
  const auto& passes = tape::PassesFor<double>();
  const double* const w = job.weights.data();
  double h[kHidden], o[kOutputs];
  for (size_t j = 0; j < kHidden; ++j) {
    passes.dot(w[kBias + j], w + j * kInputs, job.x.data(), kInputs, h[j]);
    h[j] = relu(h[j]);
  }
  double sum = 0;
  for (size_t k = 0; k < kOutputs; ++k) {
    passes.dot(w[kSecondBias + k], w + kSecond + k * kHidden, h, kHidden, o[k]);
    sum += std::exp(o[k]);
  }
  return std::log(sum) - o[job.label];
}

}  // namespace

std::vector<Engine> OwnSampleEngines(const std::shared_ptr<const SampleJob>& job) {
  std::vector<Engine> engines;
  // Weights and inputs as arrays of values.
  for (const bool data : {false, true}) {
    const auto w = std::make_shared<std::vector<Value<double>>>();
    const auto x = std::make_shared<std::vector<Value<double>>>();
    engines.push_back(SampleEngine<double>(data ? "values, inputs without gradients" : "values",
                                           job, data, [w, x](SampleTape<double>& state) {
                                             if (w->empty()) {
                                               for (size_t i = 0; i < state.w.size(); ++i)
                                                 w->emplace_back(state.w[i]);
                                               for (size_t i = 0; i < state.x.size(); ++i)
                                                 x->emplace_back(state.x[i]);
                                             }
                                             return SampleLoss<Value<double>>(w->data(), x->data(),
                                                                              state.job->label);
                                           }));
  }
  // As leaves, by their places on the tape.
  for (const bool data : {false, true}) {
    engines.push_back(SampleEngine<double>(data ? "leaves, inputs without gradients" : "leaves",
                                           job, data, [](SampleTape<double>& state) {
                                             return SampleLoss<Value<double>>(state.w, state.x,
                                                                              state.job->label);
                                           }));
  }
  engines.push_back(SampleEngine<double>("dot nodes", job, true, DotLoss));
  engines.push_back(SampleEngine<float>("leaves, float", job, true, [](SampleTape<float>& state) {
    return SampleLoss<Value<float>>(state.w, state.x, state.job->label);
  }));
  engines.push_back(SampleEngine<tape::Pack16f>(
      "leaves, 16 floats", job, true, [](SampleTape<tape::Pack16f>& state) {
        return SampleLoss<Value<tape::Pack16f>>(state.w, state.x, state.job->label);
      }));

  const auto loss = [job](std::span<const Value<double>> all) {
    return SampleLoss<Value<double>>(all.data(), all.data() + SampleJob::kWeights, job->label);
  };
  struct Compiled {
    autograd::CompiledTape<double, decltype(loss)> tape;
    std::vector<double> inputs;
    std::span<const double> gradient;
  };
  const auto compiled =
      std::shared_ptr<Compiled>(new Compiled{.tape = autograd::CompiledTape<double, decltype(loss)>(
                                                 loss, SampleJob::kWeights + SampleJob::kInputs),
                                             .inputs = job->weights,
                                             .gradient = {}});
  compiled->inputs.insert(compiled->inputs.end(), job->x.begin(), job->x.end());
  engines.push_back(
      {.name = "compiled",
       .run =
           [compiled] {
             return compiled->tape.Differentiate(compiled->inputs, compiled->gradient);
           },
       .gradient = [compiled] { return ToVector(compiled->gradient.first(SampleJob::kWeights)); }});

  engines.push_back({.name = "loss alone", .run = [job] {
                       return SampleLoss<double>(job->weights, job->x, job->label);
                     }});
  engines.push_back(
      {.name = "loss alone, vectors", .run = [job] { return VectorisedPrimal(*job); }});

  const auto gradient = std::make_shared<std::vector<double>>();
  engines.push_back({.name = "textbook",
                     .run =
                         [job, gradient] {
                           reference::ScalarTape tape;
                           Textbook::tape = &tape;
                           const std::vector<Textbook> w(job->weights.begin(), job->weights.end());
                           const std::vector<Textbook> x(job->x.begin(), job->x.end());
                           const Textbook y = SampleLoss<Textbook>(w, x, job->label);
                           *gradient = tape.Gradient(y.node);
                           gradient->resize(SampleJob::kWeights);
                           return tape.value(y.node);
                         },
                     .gradient = [gradient] { return *gradient; }});
  return engines;
}

std::vector<Engine> OwnDagEngines(const std::shared_ptr<const DagJob>& job) {
  std::vector<Engine> engines;
  struct State {
    Tape<double> tape;
    Leaves<double> start;
    TapeMark mark;
    std::vector<Value<double>> ring = std::vector<Value<double>>(DagJob::kRing);
  };
  const auto state = std::make_shared<State>();
  state->start = state->tape.Inputs(job->start);
  state->mark = state->tape.Mark();
  engines.push_back(
      {.name = "values",
       .run =
           [job, state] {
             state->tape.Rewind(state->mark);
             for (size_t i = 0; i < DagJob::kRing; ++i) {
               state->ring[i] = Value<double>(state->start[i]);
             }
             const Value<double> y = DagValue(*job, state->ring);
             state->tape.Backward(y);
             return y.value();
           },
       .gradient =
           [state] {
             const double* const g = state->tape.arrays().adjoints;
             return std::vector<double>(g + state->start.first(),
                                        g + state->start.first() + DagJob::kRing);
           },
       .bytes = [state] { return static_cast<double>(state->tape.bytes_since(state->mark)); }});
  engines.push_back({.name = "value alone", .run = [job] {
                       std::vector<double> ring = job->start;
                       return DagValue(*job, ring);
                     }});
  const auto gradient = std::make_shared<std::vector<double>>();
  engines.push_back({.name = "textbook",
                     .run =
                         [job, gradient] {
                           reference::ScalarTape tape;
                           Textbook::tape = &tape;
                           std::vector<Textbook> ring(job->start.begin(), job->start.end());
                           const Textbook y = DagValue(*job, ring);
                           *gradient = tape.Gradient(y.node);
                           gradient->resize(DagJob::kRing);
                           return tape.value(y.node);
                         },
                     .gradient = [gradient] { return *gradient; }});
  return engines;
}

}  // namespace mlp::autodiff
