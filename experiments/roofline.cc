// How near each kernel of the reference job comes to what the machine can do, by the roofline
// model: Williams, Waterman & Patterson, "Roofline: an insightful visual performance model", 2009.
//
// Kernels run on one thread, the roofs on one and on all. Peaks are measured in the same rounds,
// and the multiply-add rate once more right beside each kernel: that is what peak_pct is a part of.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "experiments/harness/experiment.h"
#include "experiments/harness/kernel_timer.h"
#include "experiments/harness/panel_timer.h"
#include "mlp/kernels/panel/panel.h"
#include "mlp/kernels/peak/peak.h"

namespace mlp::experiments {
namespace {

using kernels::Peak;
using kernels::Target;

constexpr double kPeak_s = 8e-3;
constexpr double kGoodPeakPct = 80;  // What the report counts kernels by.
constexpr size_t kBatchSizes[] = {32, 64, 128, 256};
// Layers of the reference job as {inputs, units}.
constexpr LayerShape kLayers[] = {{0, 784, 128}, {0, 128, 128}, {0, 128, 10}};

double MeasureFor(const Session& session, const Peak& peak, int threads) {
  return kernels::MeasurePeak(peak, threads, session.smoke() ? 0 : session.Timed(kPeak_s));
}

Peak MultiplyAddPeak(const Target& target) {
  return {.kind = Peak::Kind::kArithmetic, .name = kernels::ArithmeticName(target.isa)};
}

// A roof as a variant. A read adds up floats: a quarter of a flop for each byte.
Variant RoofVariant(const std::string& name, const Peak& peak, int threads) {
  const bool arithmetic = peak.kind == Peak::Kind::kArithmetic;
  Params params = {{"roof", std::string(arithmetic ? "flop" : "bytes")},
                   {"threads", static_cast<double>(threads)}};
  if (!arithmetic) params["thread_bytes"] = static_cast<double>(peak.bytes);
  return {.name = name,
          .params = std::move(params),
          .body = [=](const Session& session, record::RunRecord& run) {
            const double rate = MeasureFor(session, peak, threads);
            run.timings[arithmetic ? "flop_per_s" : "bytes_per_s"] = {rate};
            run.resolved["peak"] = arithmetic ? peak.name : kernels::ArithmeticName(BestIsa());
            return absl::OkStatus();
          }};
}

std::string RoofName(const Peak& peak) {
  if (peak.kind == Peak::Kind::kArithmetic) return peak.name;
  return absl::StrCat(peak.name, peak.kind == Peak::Kind::kRead ? " read" : " traffic");
}

// The machine's own table: what it can do on one thread and on all.
void AddPeaks(Experiment& experiment, const std::string& name, const std::string& title,
              const std::string& baseline, bool arithmetic) {
  Table& table =
      experiment.AddTable({.name = name,
                           .title = title,
                           .baseline = absl::StrCat(baseline, ", 1 thread"),
                           .primary = arithmetic ? "timings.flop_per_s" : "timings.bytes_per_s",
                           .columns = {arithmetic ? "params.threads" : "params.thread_bytes"},
                           .plots = {{.kind = "bars"}}});
  const int all = experiment.train_options().strategy.threads;
  for (const int threads : all == 1 ? std::vector<int>{1} : std::vector<int>{1, all}) {
    for (const Peak& peak : kernels::PeaksOf(threads)) {
      if ((peak.kind == Peak::Kind::kArithmetic) != arithmetic) continue;
      table.Add(RoofVariant(
          absl::StrCat(RoofName(peak), ", ", threads, threads == 1 ? " thread" : " threads"), peak,
          threads));
    }
  }
}

using Timing = std::function<void(const Session&, record::RunRecord&)>;

void AddKernels(Experiment& experiment, size_t batch) {
  const Target target = experiment.train_options().strategy.target;
  const kernels::MathMode math = experiment.train_options().strategy.math;
  const Peak peak = MultiplyAddPeak(target);
  Table& table =
      experiment.AddTable({.name = absl::StrCat("batch_", batch),
                           .title = absl::StrCat("Kernels at batches of ", batch, ", one thread"),
                           .baseline = peak.name,
                           .primary = "timings.flop_per_s",
                           .columns = {"metrics.peak_pct", "metrics.flop_per_byte",
                                       "timings.bytes_per_s", "timings.call_s"},
                           .plots = {{.kind = "roofline"}},
                           .claims = {{"reach", "metrics.peak_pct", kGoodPeakPct}}});
  for (const Peak& roof : kernels::PeaksOf(1)) {
    if (roof.kind == Peak::Kind::kArithmetic && roof.name != peak.name) continue;
    table.Add(RoofVariant(RoofName(roof), roof, 1));
  }
  const auto add = [&](const std::string& family, const std::string& name, const Timing& body,
                       const std::string& skipped = "") {
    table.Add({.name = absl::StrCat(family, name.empty() ? "" : " ", name),
               .params = {{"family", family}, {"batch_size", static_cast<double>(batch)}},
               .body =
                   [=](const Session& session, record::RunRecord& run) {
                     const double before = MeasureFor(session, peak, 1);
                     body(session, run);
                     const double after = MeasureFor(session, peak, 1);
                     run.metrics["peak_pct"] =
                         100 * run.timings.at("flop_per_s").front() / std::max(before, after);
                     return absl::OkStatus();
                   },
               .skipped = skipped});
  };
  const std::string no_panels = kernels::FindPanelKernels(target) == nullptr
                                    ? absl::StrCat(kernels::Name(target), " has no panel kernels")
                                    : "";
  const auto with_batch = [batch](LayerShape shape) {
    shape.batch = batch;
    return shape;
  };
  for (const auto& [product, family] : {std::pair(GemmProduct::kForward, "gemm x W"),
                                        std::pair(GemmProduct::kInputGradient, "gemm d W^T"),
                                        std::pair(GemmProduct::kWeightGradient, "gemm x^T d")}) {
    for (const LayerShape& layer : kLayers) {
      // Nobody asks for the pixels' gradient.
      if (product == GemmProduct::kInputGradient && layer.inputs == 784) continue;
      add(family, absl::StrCat(layer.inputs, "x", layer.units),
          [=, product = product](const Session& session, record::RunRecord& run) {
            TimeGemm(session, target, product, with_batch(layer), run);
          });
    }
  }
  for (const LayerShape& layer : kLayers) {
    add(
        "panel x W", absl::StrCat(layer.inputs, "x", layer.units),
        [=](const Session& session, record::RunRecord& run) {
          TimePanelProduct(session, target, with_batch(layer), run);
        },
        no_panels);
  }
  for (const LayerShape& layer : kLayers) {
    add(
        "panel x^T d", absl::StrCat(layer.inputs, "x", layer.units),
        [=](const Session& session, record::RunRecord& run) {
          TimePanelUpdate(session, target, with_batch(layer), run);
        },
        no_panels);
  }
  for (const auto& [op, name] : {std::pair(SparseOp::kProduct, "x W 784x128"),
                                 std::pair(SparseOp::kUpdate, "x^T d + adam 784x128")}) {
    add(
        "sparse", name,
        [=, op = op](const Session& session, record::RunRecord& run) {
          TimeSparse(session, target, op, batch, 128, run);
        },
        no_panels);
  }
  add("relu", "", [=](const Session& session, record::RunRecord& run) {
    TimeActivation(session, target, math, kernels::Activation::kRelu, batch, run);
  });
  add("softmax", "", [=](const Session& session, record::RunRecord& run) {
    TimeSoftmax(session, target, math, batch, run);
  });
  add("adam", "", [=](const Session& session, record::RunRecord& run) {
    TimeAdam(session, target, math, run);
  });
}

int Main(Experiment& experiment) {
  if (const auto exit_code = experiment.Parse()) return *exit_code;
  AddPeaks(experiment, "arithmetic", "Multiply-adds on registers",
           kernels::ArithmeticName(BestIsa()), true);
  AddPeaks(experiment, "traffic", "Reads of each level, and an optimizer's traffic", "L1 read",
           false);
  for (const size_t batch : kBatchSizes) AddKernels(experiment, batch);
  experiment.SetConfig("peak_pct", "of the multiply-add rate measured right beside the kernel");
  return experiment.Run();
}

}  // namespace
}  // namespace mlp::experiments

MLP_EXPERIMENT(mlp::experiments::Main,
               {.name = "roofline",
                .question = "How near does each kernel come to what the machine can do?",
                .omitted_flags = {"batch_size", "epochs", "optimizer", "learning_rate"}})
