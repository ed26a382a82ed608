// Every activation on every target: forward in both accuracies, and backward.
#include <benchmark/benchmark.h>

#include <string>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernels.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {
namespace {

// One hidden layer of a batch: 64 KiB, which L2 holds.
constexpr size_t kRows = 128;
constexpr size_t kCols = 128;

AlignedBuffer<float> RandomBuffer(uint64_t seed) {
  AlignedBuffer<float> buffer(kRows * kCols);
  Stream stream(seed, Purpose::kTest);
  for (float& x : buffer) x = stream.Uniform(-3, 3);
  return buffer;
}

void CountElements(benchmark::State& state) {
  state.counters["elements/s"] = benchmark::Counter(static_cast<double>(kRows * kCols),
                                                    benchmark::Counter::kIsIterationInvariantRate);
}

void Forward(benchmark::State& state, Target target, Activation activation, MathMode math) {
  const Context context = SoloContext(target, math);
  AlignedBuffer<float> x = RandomBuffer(1), y = RandomBuffer(2);
  for ([[maybe_unused]] const auto _ : state) {
    Activate(context, activation, Matrix(x.data(), kRows, kCols), {y.data(), kRows, kCols});
    benchmark::ClobberMemory();
  }
  CountElements(state);
}

void Backward(benchmark::State& state, Target target, Activation activation, MathMode math) {
  const Context context = SoloContext(target, math);
  AlignedBuffer<float> x = RandomBuffer(1), y = RandomBuffer(2), dy = RandomBuffer(3);
  AlignedBuffer<float> dx = RandomBuffer(4);
  const auto view = [](AlignedBuffer<float>& buffer) {
    return Matrix(buffer.data(), kRows, kCols);
  };
  Activate(context, activation, view(x), view(y));
  for ([[maybe_unused]] const auto _ : state) {
    ActivateBackward(context, activation, view(x), view(y), view(dy), view(dx));
    benchmark::ClobberMemory();
  }
  CountElements(state);
}

int Register() {
  for (const Target& target : SupportedTargets()) {
    for (const Activation activation : kActivations) {
      const std::string name = Name(target) + "/" + std::string(Name(activation)) + "/";
      for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
        const std::string label = name + "forward/" + std::string(Name(math));
        benchmark::RegisterBenchmark(label.c_str(), Forward, target, activation, math);
      }
      const std::string label = name + "backward/fast";
      benchmark::RegisterBenchmark(label.c_str(), Backward, target, activation, MathMode::kFast);
    }
  }
  return 0;
}

const int kRegistered = Register();

}  // namespace
}  // namespace mlp::kernels
