#include "experiments/harness/panel_timer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/engine/batch.h"
#include "mlp/engine/tensor_parallel.h"
#include "mlp/kernels/panel/panel.h"
#include "mlp/kernels/sparse/sparse.h"
#include "mlp/kernels/update/update.h"
#include "mlp/optim/optimizer.h"
#include "mlp/tensor/matrix.h"

namespace mlp::experiments {
namespace {

using kernels::Context;
using kernels::PanelKernels;

// As the engine takes them: what is read again stays near.
constexpr size_t kInputPanels = engine::TensorParallel::kInputPanels;

AlignedBuffer<float> Random(size_t n) {
  AlignedBuffer<float> buffer(n);
  Stream stream(1, Purpose::kTest);
  for (float& x : buffer) x = stream.Uniform(-1, 1);
  return buffer;
}

// A layer's operands in panels of one target.
struct Panels {
  Panels(const PanelKernels& kernels, const LayerShape& shape)
      : width(kernels.width),
        in((shape.inputs + width - 1) / width),
        out((shape.units + width - 1) / width),
        // One line more than its rows: panels do not share their L1 sets.
        stride(shape.batch * width + kFloatsPerLine),
        x(Random(in * stride)),
        w(Random(out * in * width * width)),
        y(Random(out * stride)) {}

  const size_t width;
  const size_t in;
  const size_t out;
  const size_t stride;
  AlignedBuffer<float> x;  // in panels of [batch, width]
  AlignedBuffer<float> w;  // out panels of [inputs rounded up, width]
  AlignedBuffer<float> y;  // out panels of [batch, width]
};

size_t Columns(size_t columns, size_t p, size_t width) {
  return std::min(width, columns - p * width);
}

// In its first step; its own arrays are not used.
optim::Optimizer Adam() {
  optim::Optimizer adam({.kind = kernels::OptimizerKind::kAdam}, 1);
  adam.BeginStep();
  return adam;
}

Work WorkOf(const LayerShape& shape) {
  const auto batch = static_cast<double>(shape.batch);
  const auto inputs = static_cast<double>(shape.inputs);
  const auto units = static_cast<double>(shape.units);
  return {.flop = 2 * batch * inputs * units,
          .bytes = sizeof(float) * (batch * inputs + batch * units + inputs * units)};
}

}  // namespace

void TimePanelProduct(const Session& session, const kernels::Target& target,
                      const LayerShape& shape, record::RunRecord& run) {
  const auto body = [&](const Context& context) {
    const PanelKernels& kernels = *context.kernels->panel;
    Panels panels(kernels, shape);
    const AlignedBuffer<float> bias(panels.width);
    TimeCalls(
        session, WorkOf(shape),
        [&] {
          for (size_t q = 0; q < panels.in; q += kInputPanels) {
            const size_t depth =
                std::min(kInputPanels * panels.width, shape.inputs - q * panels.width);
            for (size_t p = 0; p < panels.out; ++p) {
              kernels.product(
                  {.rows = shape.batch,
                   .depth = depth,
                   .columns = Columns(shape.units, p, panels.width),
                   .a = panels.x.data() + q * panels.stride,
                   .a_stride = panels.stride,
                   .b = panels.w.data() + (p * panels.in + q) * panels.width * panels.width,
                   .start = q == 0 ? bias.data() : nullptr,
                   .y = panels.y.data() + p * panels.stride});
            }
          }
        },
        run);
  };
  OnOneThread(target, kernels::MathMode::kFast, "panel", body, run);
}

void TimePanelUpdate(const Session& session, const kernels::Target& target, const LayerShape& shape,
                     record::RunRecord& run) {
  const auto body = [&](const Context& context) {
    const PanelKernels& kernels = *context.kernels->panel;
    Panels panels(kernels, shape);
    const optim::Optimizer adam = Adam();
    AlignedBuffer<float> first_moments(panels.w.size());
    AlignedBuffer<float> second_moments(panels.w.size());
    kernels::RowPrefetcher prefetch;
    const auto weights = static_cast<double>(shape.inputs * shape.units);
    const kernels::OptimizerKind kind = adam.options().kind;
    Work work = WorkOf(shape);
    work.flop += weights * kernels::FlopsPerParameter(kind);
    // Reading the weights is counted; the gradient is never stored.
    work.bytes += weights * (kernels::BytesPerParameter(kind) - 2 * sizeof(float));
    TimeCalls(
        session, work,
        [&] {
          for (size_t q = 0; q < panels.in; ++q) {
            for (size_t p = 0; p < panels.out; ++p) {
              const size_t offset = (p * panels.in + q) * panels.width * panels.width;
              kernels.update(
                  kind, context.math, adam.step(),
                  {.batch = shape.batch,
                   .rows = Columns(shape.inputs, q, panels.width),
                   .columns = Columns(shape.units, p, panels.width),
                   .x = panels.x.data() + q * panels.stride,
                   .d = panels.y.data() + p * panels.stride,
                   .weights = panels.w.data() + offset,
                   .states = {first_moments.data() + offset, second_moments.data() + offset},
                   .prefetch = &prefetch});
            }
          }
        },
        run);
  };
  OnOneThread(target, session.DefaultTrainOptions().strategy.math, "panel", body, run);
}

void TimeSparse(const Session& session, const kernels::Target& target, SparseOp op, size_t batch,
                size_t units, record::RunRecord& run) {
  const data::Examples& examples = session.dataset().train;
  const size_t features = examples.features;
  std::vector<uint32_t> rows(std::min(batch, examples.size));
  std::iota(rows.begin(), rows.end(), 0);
  const optim::Optimizer adam = Adam();
  const auto body = [&](const Context& context) {
    const kernels::SparseKernels& kernels = *context.kernels->sparse;
    Panels panels(*context.kernels->panel, {rows.size(), features, units});
    const size_t width = panels.width;
    const size_t batch = rows.size();
    const size_t stretches = (features + kernels::kSparseColumns - 1) / kernels::kSparseColumns;
    const size_t words = kernels::SparseWords(batch);
    std::vector<AlignedBuffer<uint8_t>> blocks;
    std::vector<kernels::SparseRow> sparse_rows;
    AlignedBuffer<uint64_t> bits(features * words);
    double count = 0;
    for (size_t l = 0; l < stretches; ++l) {
      const size_t begin = l * kernels::kSparseColumns;
      const Range run = {begin, std::min(begin + kernels::kSparseColumns, features)};
      blocks.emplace_back(batch * kernels::kSparseColumns + kernels::kRunPiece);
      kernels.gather({examples.pixels.data(), features, rows, {&run, 1}, blocks[l].data()});
      for (size_t i = 0; i < batch; ++i) {
        sparse_rows.push_back({blocks[l].data() + i * kernels::kSparseColumns, 0});
      }
      const auto found = std::span(sparse_rows).subspan(l * batch, batch);
      kernels.search({run.size(), found});
      kernels.transpose({run.size(), found, bits.data() + begin * words});
    }
    for (const kernels::SparseRow& row : sparse_rows) count += std::popcount(row.bits);

    const AlignedBuffer<float> zeros(width);
    const size_t panel_size = panels.in * width * width;
    AlignedBuffer<float> first_moments(panels.out * panel_size);
    AlignedBuffer<float> second_moments(panels.out * panel_size);
    kernels::RowPrefetcher prefetch;
    const auto product = [&] {
      std::array<kernels::SparseProduct::Operand, kernels::kMaxSparseOperands> operands;
      for (size_t p = 0; p < panels.out; p += kernels::kMaxSparseOperands) {
        const size_t n = std::min(kernels::kMaxSparseOperands, panels.out - p);
        for (size_t l = 0; l < stretches; ++l) {
          const size_t k = l * kernels::kSparseColumns;
          for (size_t o = 0; o < n; ++o) {
            operands[o] = {panels.w.data() + (p + o) * panel_size + k * width,
                           k == 0 ? zeros.data() : nullptr,
                           panels.y.data() + (p + o) * panels.stride};
          }
          kernels.product({.rows = std::span(sparse_rows).subspan(l * batch, batch),
                           .values = engine::kPixelValues.data(),
                           .operands = std::span(operands).first(n),
                           .prefetch = &prefetch});
        }
      }
    };
    const auto update = [&] {
      std::array<kernels::SparseUpdate::Operand, kernels::kMaxSparseOperands> operands;
      for (size_t p = 0; p < panels.out; p += kernels::kMaxSparseOperands) {
        const size_t n = std::min(kernels::kMaxSparseOperands, panels.out - p);
        for (size_t q = 0; q < panels.in; ++q) {
          for (size_t o = 0; o < n; ++o) {
            const size_t offset = (p + o) * panel_size + q * width * width;
            operands[o] = {panels.y.data() + (p + o) * panels.stride,
                           panels.w.data() + offset,
                           {first_moments.data() + offset, second_moments.data() + offset}};
          }
          kernels.update(adam.options().kind, context.math, adam.step(),
                         {.batch = rows.size(),
                          .columns = Columns(features, q, width),
                          .bits = bits.data() + q * width * words,
                          .pixels = blocks[q * width / kernels::kSparseColumns].data() +
                                    q * width % kernels::kSparseColumns,
                          .values = engine::kPixelValues.data(),
                          .operands = std::span(operands).first(n),
                          .prefetch = &prefetch});
        }
      }
    };
    const auto outputs = static_cast<double>(rows.size() * units);
    const auto weights = static_cast<double>(features * units);
    const double flop = 2 * count * static_cast<double>(units);
    if (op == SparseOp::kProduct) {
      // A pixel that is not 0 is looked up as a float, for all columns.
      TimeCalls(session, {flop, sizeof(float) * (count + outputs + weights)}, product, run);
      return;
    }
    const kernels::OptimizerKind kind = adam.options().kind;
    // The gradient is never stored. A pixel is a byte.
    const Work work = {flop + weights * kernels::FlopsPerParameter(kind),
                       count + sizeof(float) * outputs +
                           weights * (kernels::BytesPerParameter(kind) - sizeof(float))};
    TimeCalls(session, work, update, run);
  };
  OnOneThread(target, session.DefaultTrainOptions().strategy.math, "sparse", body, run);
}

}  // namespace mlp::experiments
