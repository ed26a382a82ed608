#include "mlp/record/testing.h"

namespace mlp::record {

Record TestHead(const std::string& experiment) {
  Record record;
  record.experiment = experiment;
  record.question = "Which variant is the fastest?";
  record.started_utc = "2026-01-31T12:00:00Z";
  record.commit = "0123456789abcdef0123456789abcdef01234567";
  record.machine = {.id = "0a1b2c3d",
                    .cpu = "Test CPU",
                    .cores = 2,
                    .isa = {"avx2"},
                    .caches = {{"L1d_bytes", 32768}},
                    .memory_bytes = uint64_t{16} << 30,
                    .gpu = std::nullopt,
                    .governor = std::nullopt,
                    .cgroup_cpu_max = "200000 100000",
                    .load_average = 0.25,
                    .steal_pct = std::nullopt};
  record.build = {.compiler = "gcc 12.2.0", .mode = "opt", .copts = "-O2", .math = "exact"};
  record.config = {{"dataset", "digits"}, {"epochs", 5.0}, {"shuffled", true}};
  return record;
}

RunRecord TestRun(const std::string& variant, int repetition, double samples_per_s) {
  RunRecord run;
  run.variant = variant;
  run.params = {{"threads", 2.0}};
  run.resolved = {{"gemm", "simd/avx2"}};
  run.seed = 1 + static_cast<uint64_t>(repetition);
  run.repetition = repetition;
  run.metrics = {{"test_accuracy", 0.9 + 0.001 * repetition}};
  run.timings = {{"samples_per_s", {samples_per_s}}};
  return run;
}

Record TestRecord() {
  Record record = TestHead("speed");
  record.id = "20260131T120000Z-0123456-0a1b2c3d";
  for (int repetition = 0; repetition < 3; ++repetition) {
    record.runs.push_back(TestRun("slow", repetition, 1000 + repetition));
    record.runs.push_back(TestRun("fast", repetition, 4000 + repetition));
  }
  return record;
}

}  // namespace mlp::record
