// The main of every benchmark: Google Benchmark, with denormals flushed as in training.
#include <benchmark/benchmark.h>

#include "mlp/base/denormals.h"

int main(int argc, char** argv) {
  const mlp::ScopedFlushDenormals flush;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
