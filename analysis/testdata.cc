#include "analysis/testdata.h"

#include <cmath>

#include "mlp/base/check.h"
#include "mlp/base/rng.h"
#include "mlp/record/testing.h"
#include "mlp/record/writer.h"

namespace mlp::analysis {
namespace {

using record::Record;
using record::RunRecord;

// Around 1, within a few percent.
double Noise(Stream& stream, double size) { return 1 + size * stream.Uniform(-1, 1); }

std::vector<std::map<std::string, double>> Curve(Stream& stream, double rate) {
  std::vector<std::map<std::string, double>> curve;
  for (int epoch = 1; epoch <= 8; ++epoch) {
    const double loss = 2.3 * std::exp(-rate * epoch) * Noise(stream, 0.08);
    curve.push_back({{"epoch", epoch},
                     {"train_loss", loss},
                     {"test_accuracy", 1 - loss / 3},
                     {"seconds", 0.1 * epoch}});
  }
  return curve;
}

}  // namespace

Record SpeedRecord(const std::string& dataset, int repetitions) {
  Record record = record::TestHead("speed");
  record.question = "How much faster is each instruction set than plain scalar code?";
  record.config["dataset"] = dataset;
  record.notes = {"asked for 8 threads, 2 are there"};
  record.presentation.all = {
      .title = "Throughput of one training step",
      .variants = {"scalar", "scalar (again)", "simd/sse2", "simd/avx2", "simd/avx512", "amx"},
      .baseline = "scalar",
      .baseline_again = "scalar (again)",
      .primary = "timings.samples_per_s",
      .columns = {"metrics.test_accuracy"},
      .plots = {{.kind = "bars"},
                {.kind = "scatter", .title = "Accuracy against throughput", .log_x = true}}};
  Stream stream(/*seed=*/3, Purpose::kTest);
  const std::vector<std::pair<std::string, double>> speeds = {{"simd/avx512", 1.1e6},
                                                              {"scalar", 4.1e4},
                                                              {"simd/sse2", 1.9e5},
                                                              {"scalar (again)", 4.1e4},
                                                              {"simd/avx2", 5.8e5}};
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    const double shared = Noise(stream, 0.1);  // Disturbs all variants of a repetition alike.
    for (const auto& [variant, speed] : speeds) {
      RunRecord run = record::TestRun(variant, repetition, speed * shared * Noise(stream, 0.02));
      run.metrics["test_accuracy"] = 0.975 + 0.004 * stream.Uniform();
      record.runs.push_back(run);
    }
    RunRecord failed = record::TestRun("amx", repetition, 1);
    failed.status = record::RunStatus::kSkipped;
    failed.message = "this CPU has no amx_bf16 | <b>";
    failed.timings.clear();
    failed.metrics.clear();
    record.runs.push_back(failed);
  }
  return record;
}

Record ScalingRecord(int repetitions) {
  Record record = record::TestHead("scaling");
  record.question = "How does one step scale with threads, and does the loss suffer?";
  record.presentation.all.primary = "timings.step_s";
  record.presentation.groups = {
      {.name = "kernel",
       .title = "Kernel alone",
       .baseline = "simd, 1 threads",
       .plots =
           {{.kind = "lines", .x = "params.threads", .series = "params.backend", .log_x = true}}},
      {.name = "training",
       .title = "End to end",
       .baseline = "materialized",
       .plots = {{.kind = "curves", .log_y = true},
                 {.kind = "curves", .x = "curve.seconds", .y = "curve.test_accuracy"}}}};
  Stream stream(/*seed=*/4, Purpose::kTest);
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (const int threads : {1, 2, 4, 8}) {
      for (const std::string backend : {"simd", "eigen"}) {
        RunRecord run =
            record::TestRun(backend + ", " + std::to_string(threads) + " threads", repetition, 1);
        const double one = backend == "simd" ? 2e-4 : 3.5e-4;
        run.timings = {{"step_s", {one / std::pow(threads, 0.8) * Noise(stream, 0.05)}}};
        run.params = {{"group", "kernel"}, {"threads", double{1} * threads}, {"backend", backend}};
        record.runs.push_back(run);
      }
    }
    for (const auto& [variant, rate] :
         std::vector<std::pair<std::string, double>>{{"materialized", 0.5}, {"hogwild", 0.4}}) {
      RunRecord run = record::TestRun(variant, repetition, 1);
      run.timings = {{"step_s", {1e-4 * Noise(stream, 0.02)}}};
      run.params = {{"group", "training"}};
      run.curve = Curve(stream, rate);
      record.runs.push_back(run);
    }
  }
  return record;
}

std::string Write(const Record& record, const std::string& results_dir) {
  auto writer = record::RecordWriter::Open(results_dir, record);
  MLP_CHECK(writer.ok());
  for (const RunRecord& run : record.runs) MLP_CHECK(writer->Append(run).ok());
  const auto path = writer->Commit();
  MLP_CHECK(path.ok());
  return *path;
}

}  // namespace mlp::analysis
