#include "mlp/engine/tiny.h"

#include <algorithm>
#include <utility>

#include "mlp/base/check.h"
#include "mlp/kernels/elementwise/elementwise.h"

namespace mlp::engine {

bool IsTiny(const model::ModelSpec& spec, const kernels::Target& target) {
  return kernels::FindTinyKernels(target) != nullptr &&
         spec.parameter_count() <= kMaxTinyParameters;
}

Tiny::Tiny(const model::Model& model, const optim::Optimizer& optimizer,
           const kernels::KernelSet& kernels, kernels::MathMode math)
    : kernels_(kernels),
      tiny_(*kernels::FindTinyKernels(kernels.target)),
      math_(math),
      optimizer_(optimizer.options().kind),
      inputs_(model.inputs()) {
  const model::ModelSpec& spec = model.spec();
  const auto padded = [&](size_t n) { return RoundUp(n, tiny_.lanes); };
  const auto take = [](size_t& end, size_t n) { return std::exchange(end, end + n); };
  size_t inputs = spec.inputs;
  widest_ = padded(inputs);
  for (const model::DenseSpec& dense : spec.layers) {
    const size_t outputs = dense.units;
    const size_t along_outputs = inputs * padded(outputs);
    const size_t along_inputs = outputs * padded(inputs);
    kernels::TinyLayer layer = {.inputs = inputs,
                                .outputs = outputs,
                                .activation = dense.activation,
                                .along_outputs = along_outputs <= along_inputs,
                                .weights = 0,
                                .bias = 0,
                                .z = 0,
                                .y = 0};
    layer.weights = take(size_, std::min(along_outputs, along_inputs));
    layer.bias = take(size_, padded(outputs));
    layer.z = take(work_, padded(outputs));
    layer.y = take(work_, padded(outputs));
    widest_ = std::max(widest_, padded(outputs));
    layers_.push_back(layer);
    inputs = outputs;
  }
  arena_ = Arena::For([this](Arena& arena) { Plan(arena); });
  net_.layers = layers_;
  net_.loss = spec.loss;
  net_.math = math;
  Load(model, optimizer);
}

void Tiny::Plan(Arena& arena) {
  parameters_ = arena.Take<float>(size_);
  gradient_ = arena.Take<float>(size_);
  for (size_t k = 0; k < kernels::States(optimizer_); ++k) states_[k] = arena.Take<float>(size_);
  x_ = arena.Take<float>(RoundUp(inputs_, tiny_.lanes));
  net_.work = arena.Take<float>(work_).data();
  for (float*& d : net_.d) d = arena.Take<float>(widest_).data();
}

template <class Visit>
void Tiny::ForEachParameter(Visit visit) const {
  size_t flat = 0;
  for (const kernels::TinyLayer& layer : layers_) {
    const size_t in = RoundUp(layer.inputs, tiny_.lanes);
    const size_t out = RoundUp(layer.outputs, tiny_.lanes);
    for (size_t k = 0; k < layer.inputs; ++k) {
      for (size_t j = 0; j < layer.outputs; ++j) {
        visit(flat++, layer.weights + (layer.along_outputs ? k * out + j : j * in + k));
      }
    }
    for (size_t j = 0; j < layer.outputs; ++j) visit(flat++, layer.bias + j);
  }
}

void Tiny::Load(const model::Model& model, const optim::Optimizer& optimizer) {
  ForEachParameter([&](size_t flat, size_t own) {
    parameters_[own] = model.parameters()[flat];
    for (size_t k = 0; k < kernels::States(optimizer_); ++k) {
      states_[k][own] = optimizer.state(k)[flat];
    }
  });
}

void Tiny::Store(model::Model& model, optim::Optimizer& optimizer) const {
  ForEachParameter([&](size_t flat, size_t own) {
    model.parameters()[flat] = parameters_[own];
    for (size_t k = 0; k < kernels::States(optimizer_); ++k) {
      optimizer.state(k)[flat] = states_[k][own];
    }
  });
}

const float* Tiny::Gather(const data::Examples& examples, uint32_t row) {
  if (!examples.values.empty()) {
    const float* from = examples.values.data() + row * inputs_;
    if (layers_.front().along_outputs) return from;
    std::copy_n(from, inputs_, x_.data());
  } else {
    kernels::GatherRows({&kernels_, math_, Worker()}, examples.pixels.data(), {&row, 1},
                        kPixelScale, {x_.data(), 1, inputs_});
  }
  return x_.data();
}

StepResult Tiny::Gradient(const data::Examples& examples, std::span<const uint32_t> rows) {
  MLP_CHECK_EQ(examples.features, inputs_);
  const float scale = 1.0f / static_cast<float>(rows.size());
  StepResult sum = {.samples = rows.size()};
  bool add = false;
  for (const uint32_t row : rows) {
    net_.x = Gather(examples, row);
    const kernels::TinyResult result = tiny_.gradient(
        net_, parameters_.data(), examples.labels[row], scale, add, gradient_.data());
    sum.loss_sum += result.loss;
    sum.hits += result.hit;
    add = true;
  }
  return sum;
}

kernels::TinyResult Tiny::Step(const data::Examples& examples, uint32_t row,
                               const kernels::UpdateStep& step) {
  MLP_CHECK_EQ(examples.features, inputs_);
  net_.x = Gather(examples, row);
  return tiny_.step(net_, optimizer_, step, examples.labels[row], parameters_.data(),
                    {states_[0].data(), states_[1].data()});
}

void Tiny::Update(const kernels::UpdateStep& step) {
  kernels::UpdateBlock({&kernels_, math_, Worker()}, optimizer_, step,
                       {parameters_, gradient_, states_});
}

}  // namespace mlp::engine
