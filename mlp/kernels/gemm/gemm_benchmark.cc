// The products of one training step of 784-128-128-128-10, by target, form and batch size.
#include <benchmark/benchmark.h>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/gemm/gemm.h"
#include "mlp/kernels/kernels.h"

namespace mlp::kernels {
namespace {

struct Operands {
  Operands(size_t rows, size_t cols) : buffer(rows * PaddedStride(cols)) {
    Stream stream(1, Purpose::kTest);
    for (float& x : buffer) x = stream.Uniform(-1, 1);
    view = {buffer.data(), rows, cols, PaddedStride(cols)};
  }
  AlignedBuffer<float> buffer;
  Matrix view;
};

enum class Form { kForward, kInputGradient, kWeightGradient };

void Product(benchmark::State& state, Target target, Form form, size_t batch, size_t in,
             size_t out) {
  const Context context = SoloContext(target);
  Operands x(batch, in), y(batch, out);
  AlignedBuffer<float> w(in * out);
  const Matrix weights(w.data(), in, out);
  for ([[maybe_unused]] const auto _ : state) {
    switch (form) {
      case Form::kForward:
        GemmNN(context, x.view, weights, {}, y.view);
        break;
      case Form::kInputGradient:
        GemmNT(context, y.view, weights, x.view);
        break;
      case Form::kWeightGradient:
        GemmTN(context, x.view, y.view, Output::kOverwrite, weights);
        break;
    }
    benchmark::ClobberMemory();
  }
  state.counters["flop/s"] = benchmark::Counter(2.0 * static_cast<double>(batch * in * out),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

int Register() {
  for (const Target& target : SupportedTargets()) {
    for (const size_t batch : {32, 128}) {
      for (const auto& [in, out] : {std::pair<size_t, size_t>{784, 128}, {128, 128}, {128, 10}}) {
        for (const auto& [form, name] : {std::pair{Form::kForward, "forward"},
                                         {Form::kInputGradient, "input_gradient"},
                                         {Form::kWeightGradient, "weight_gradient"}}) {
          const std::string label = Name(target) + "/" + name + "/" + std::to_string(batch) + "x" +
                                    std::to_string(in) + "x" + std::to_string(out);
          benchmark::RegisterBenchmark(label.c_str(), Product, target, form, batch, in, out);
        }
      }
    }
  }
  return 0;
}

const int kRegistered = Register();

}  // namespace
}  // namespace mlp::kernels
