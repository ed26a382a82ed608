// Predictions of 784-128-128-128-10 on one thread, by target and batch, with dense and with sparse
// pixels.
#include <benchmark/benchmark.h>

#include <span>
#include <string>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/engine/inference.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"

namespace mlp::engine {
namespace {

constexpr size_t kRows = 1024;

// One in `often` pixels is not 0.
std::vector<uint8_t> Pixels(size_t features, uint32_t often) {
  Stream stream(1, Purpose::kTest);
  std::vector<uint8_t> pixels(kRows * features);
  for (uint8_t& pixel : pixels) {
    pixel = stream.Below(often) == 0 ? static_cast<uint8_t>(1 + stream.Below(255)) : 0;
  }
  return pixels;
}

void Predict(benchmark::State& state, kernels::Target target, size_t batch, bool skip_zeros) {
  const model::Model model(*model::ParseModelSpec("784-128-128-128-10"), 1);
  const std::vector<uint8_t> pixels = Pixels(model.inputs(), 5);
  Inference engine(model, kernels::KernelsFor(target),
                   {.max_batch = batch, .skip_zeros = skip_zeros});
  size_t row = 0;
  for ([[maybe_unused]] const auto _ : state) {
    engine.Predict(std::span(pixels).subspan(row * model.inputs(), batch * model.inputs()));
    benchmark::DoNotOptimize(engine.logits().data());
    row = (row + batch) % kRows;
  }
  state.counters["rows/s"] =
      benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate);
}

int Register() {
  for (const kernels::Target& target : kernels::SupportedTargets()) {
    for (const size_t batch : {1, 8, 64, 1024}) {
      for (const bool skip_zeros : {false, true}) {
        // Only panels can skip.
        if (skip_zeros && kernels::KernelsFor(target).gemv == nullptr) continue;
        const std::string label = kernels::Name(target) + "/batch:" + std::to_string(batch) +
                                  (skip_zeros ? "/skip_zeros" : "/dense");
        benchmark::RegisterBenchmark(label.c_str(), Predict, target, batch, skip_zeros);
      }
    }
  }
  return 0;
}

const int kRegistered = Register();

}  // namespace
}  // namespace mlp::engine
