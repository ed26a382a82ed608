// Every optimizer's update of the 134,794 parameters of 784-128-128-128-10, by target and accuracy.
#include <benchmark/benchmark.h>

#include <string>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {
namespace {

constexpr size_t kParameters = 134'794;

void Step(benchmark::State& state, Target target, OptimizerKind kind, MathMode math) {
  const Context context = SoloContext(target, math);
  AlignedBuffer<float> w(kParameters), g(kParameters), s0(kParameters), s1(kParameters);
  Stream stream(1, Purpose::kTest);
  for (size_t i = 0; i < kParameters; ++i) {
    w[i] = stream.Normal();
    g[i] = stream.Normal();
  }
  UpdateSpans spans = {w.span(), g.span(), {}};
  if (States(kind) > 0) spans.states[0] = s0.span();
  if (States(kind) > 1) spans.states[1] = s1.span();
  const UpdateStep step = {
      .rate = 1e-3f, .beta1 = 0.9f, .beta2 = 0.999f, .root_scale = 1, .epsilon = 1e-8f};
  for ([[maybe_unused]] const auto _ : state) {
    UpdateBlock(context, kind, step, spans);
    benchmark::ClobberMemory();
  }
  state.counters["parameters/s"] = benchmark::Counter(
      static_cast<double>(kParameters), benchmark::Counter::kIsIterationInvariantRate);
}

int Register() {
  for (const Target& target : SupportedTargets()) {
    for (const OptimizerKind kind : kOptimizerKinds) {
      for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
        const std::string label =
            Name(target) + "/" + std::string(Name(kind)) + "/" + std::string(Name(math));
        benchmark::RegisterBenchmark(label.c_str(), Step, target, kind, math);
      }
    }
  }
  return 0;
}

const int kRegistered = Register();

}  // namespace
}  // namespace mlp::kernels
