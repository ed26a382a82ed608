// The loss of a batch and its gradient, by target and number of classes.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/softmax/softmax.h"
#include "mlp/tensor/matrix.h"

namespace mlp::kernels {
namespace {

constexpr size_t kRows = 128;

void CrossEntropy(benchmark::State& state, Target target, MathMode math, size_t classes) {
  const Context context = SoloContext(target, math);
  const size_t stride = PaddedStride(classes);
  AlignedBuffer<float> logits(kRows * stride), gradient(kRows * stride);
  Stream stream(1, Purpose::kTest);
  for (float& x : logits) x = stream.Uniform(-5, 5);
  const std::vector<uint8_t> labels(kRows, 3);
  std::vector<float> losses(kRows);
  std::vector<uint8_t> hits(kRows);
  for ([[maybe_unused]] const auto _ : state) {
    SoftmaxCrossEntropy(context, Matrix(logits.data(), kRows, classes, stride), labels,
                        1.0f / kRows, losses, hits, {gradient.data(), kRows, classes, stride});
    benchmark::ClobberMemory();
  }
  state.counters["rows/s"] =
      benchmark::Counter(static_cast<double>(kRows), benchmark::Counter::kIsIterationInvariantRate);
}

int Register() {
  for (const Target& target : SupportedTargets()) {
    for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
      for (const size_t classes : {10, 1000}) {
        const std::string label = Name(target) + "/cross_entropy/" + std::string(Name(math)) + "/" +
                                  std::to_string(kRows) + "x" + std::to_string(classes);
        benchmark::RegisterBenchmark(label.c_str(), CrossEntropy, target, math, classes);
      }
    }
  }
  return 0;
}

const int kRegistered = Register();

}  // namespace
}  // namespace mlp::kernels
