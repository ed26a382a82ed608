// How long the embedded dataset takes to be drawn. "CPU" is the work of all threads, what one core
// alone would need: for all of it two seconds at most.
#include <benchmark/benchmark.h>

#include "mlp/data/digits.h"

namespace mlp::data {
namespace {

void Digits(benchmark::State& state, size_t train, size_t test) {
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(MakeDigits(/*seed=*/1, train, test));
  }
  state.counters["samples/s"] = benchmark::Counter(static_cast<double>(train + test),
                                                   benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK_CAPTURE(Digits, thousand, 1000, 0)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(Digits, all, 60000, 10000)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

}  // namespace
}  // namespace mlp::data
