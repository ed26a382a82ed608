#include "experiments/harness/kernel_timer.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/statistics.h"
#include "mlp/base/check.h"
#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/base/timer.h"
#include "mlp/kernels/gemm/gemm.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/softmax/softmax.h"
#include "mlp/kernels/update/update.h"
#include "mlp/optim/optimizer.h"

namespace mlp::experiments {
namespace {

using kernels::Context;
using kernels::MathMode;
using kernels::Target;

constexpr double kSample_s = 0.3e-3;  // long against the clock's resolution
constexpr double kTotal_s = 12e-3;
constexpr double kMinSamples = 5;

constexpr size_t kUnits = 128;
constexpr size_t kClasses = 10;
constexpr size_t kParameters = 134794;

}  // namespace

void OnOneThread(const Target& target, MathMode math, const std::string& op,
                 absl::FunctionRef<void(const Context&)> body, record::RunRecord& run) {
  run.params.try_emplace("target", kernels::Name(target));
  run.params.try_emplace("math", std::string(kernels::Name(math)));
  run.params.try_emplace("threads", 1.0);
  for (const auto& [family, implementation] : kernels::Resolved(kernels::KernelsFor(target))) {
    if (family == op) run.resolved[family] = implementation;
  }
  MLP_CHECK(run.resolved.contains(op));
  RunTeam(1, [&](const Worker&) { body(kernels::SoloContext(target, math)); });
}

void TimeCalls(const Session& session, const Work& work, absl::FunctionRef<void()> body,
               record::RunRecord& run) {
  std::vector<double> call_s;
  Timer total;
  body();
  const double first_s = std::max(total.Seconds(), 1e-9);
  const double wanted = session.smoke() ? 1 : std::clamp(kSample_s / first_s, 1.0, 1e6);
  const auto calls = static_cast<size_t>(wanted);
  total.Restart();
  do {
    Timer timer;
    for (size_t i = 0; i < calls; ++i) body();
    call_s.push_back(timer.Seconds() / static_cast<double>(calls));
  } while (!session.smoke() && (static_cast<double>(call_s.size()) < session.Timed(kMinSamples) ||
                                total.Seconds() < session.Timed(kTotal_s)));
  const double median_s = analysis::Median(call_s);
  if (work.flop > 0) run.timings["flop_per_s"] = {work.flop / median_s};
  if (work.bytes > 0) run.timings["bytes_per_s"] = {work.bytes / median_s};
  if (work.flop > 0 && work.bytes > 0) run.metrics["flop_per_byte"] = work.flop / work.bytes;
  run.timings["call_s"] = std::move(call_s);
}

TestMatrix::TestMatrix(size_t rows, size_t cols, float low, float high, uint64_t seed)
    : buffer_(rows * PaddedStride(cols)), view_(buffer_.data(), rows, cols, PaddedStride(cols)) {
  Stream stream(seed, Purpose::kTest);
  for (float& x : buffer_) x = stream.Uniform(low, high);
}

void TimeGemm(const Session& session, const Target& target, GemmProduct product,
              const LayerShape& shape, record::RunRecord& run) {
  TestMatrix x(shape.batch, shape.inputs, 0, 1), y(shape.batch, shape.units, -1, 1);
  AlignedBuffer<float> memory(shape.inputs * shape.units);
  const Matrix w(memory.data(), shape.inputs, shape.units);
  const auto batch = static_cast<double>(shape.batch);
  const auto inputs = static_cast<double>(shape.inputs);
  const auto units = static_cast<double>(shape.units);
  const Work work = {.flop = 2 * batch * inputs * units,
                     .bytes = sizeof(float) * (batch * inputs + batch * units + inputs * units)};
  OnOneThread(
      target, MathMode::kFast, "gemm",
      [&](const Context& context) {
        TimeCalls(
            session, work,
            [&] {
              switch (product) {
                case GemmProduct::kForward:
                  return kernels::GemmNN(context, x.view(), w, {}, y.view());
                case GemmProduct::kInputGradient:
                  return kernels::GemmNT(context, y.view(), w, x.view());
                case GemmProduct::kWeightGradient:
                  return kernels::GemmTN(context, x.view(), y.view(), kernels::Output::kOverwrite,
                                         w);
              }
            },
            run);
      },
      run);
}

void TimeActivation(const Session& session, const Target& target, MathMode math,
                    kernels::Activation activation, size_t batch, record::RunRecord& run) {
  TestMatrix x(batch, kUnits, -4, 4), y(batch, kUnits, 0, 0);
  const auto elements = static_cast<double>(batch * kUnits);
  // How much arithmetic a function is depends on who computes it; a maximum is one operation.
  const double flop = activation == kernels::Activation::kRelu ? elements : 0;
  const Work work = {.flop = flop, .bytes = 2 * sizeof(float) * elements};
  OnOneThread(
      target, math, "elementwise",
      [&](const Context& context) {
        TimeCalls(
            session, work, [&] { kernels::Activate(context, activation, x.view(), y.view()); },
            run);
      },
      run);
}

void TimeSoftmax(const Session& session, const Target& target, MathMode math, size_t batch,
                 record::RunRecord& run) {
  TestMatrix logits(batch, kClasses, -4, 4), gradient(batch, kClasses, 0, 0);
  std::vector<uint8_t> labels(batch), hits(batch);
  std::vector<float> losses(batch);
  for (size_t i = 0; i < batch; ++i) labels[i] = static_cast<uint8_t>(i % kClasses);
  const auto elements = static_cast<double>(batch * kClasses);
  // Maximum, difference, exponential (counted as one), sum, and two products for the gradient.
  const Work work = {.flop = 6 * elements, .bytes = 2 * sizeof(float) * elements};
  OnOneThread(
      target, math, "softmax",
      [&](const Context& context) {
        TimeCalls(
            session, work,
            [&] {
              kernels::SoftmaxCrossEntropy(context, logits.view(), labels,
                                           1.0f / static_cast<float>(batch), losses, hits,
                                           gradient.view());
            },
            run);
      },
      run);
}

void TimeAdam(const Session& session, const Target& target, MathMode math, record::RunRecord& run) {
  AlignedBuffer<float> parameters(kParameters), gradient(kParameters);
  Stream stream(1, Purpose::kTest);
  for (float& g : gradient) g = stream.Uniform(-1e-2f, 1e-2f);
  optim::Optimizer optimizer({.kind = kernels::OptimizerKind::kAdam}, kParameters);
  optimizer.BeginStep();
  const kernels::UpdateSpans spans =
      optimizer.Spans({0, kParameters}, parameters.span(), gradient.span());
  constexpr kernels::OptimizerKind kAdam = kernels::OptimizerKind::kAdam;
  const Work work = {.flop = kParameters * kernels::FlopsPerParameter(kAdam),
                     .bytes = kParameters * kernels::BytesPerParameter(kAdam)};
  OnOneThread(
      target, math, "update",
      [&](const Context& context) {
        TimeCalls(
            session, work,
            [&] {
              kernels::Update(context, kernels::OptimizerKind::kAdam, optimizer.step(), spans);
            },
            run);
      },
      run);
}

}  // namespace mlp::experiments
