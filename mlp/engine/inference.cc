#include "mlp/engine/inference.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "mlp/base/check.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/elementwise/elementwise.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/kernels/reduce/reduce.h"

namespace mlp::engine {
namespace {

// Activations of so many rows stay in L2 beside the weights of the reference model.
constexpr size_t kBlockRows = 64;
// The same for the layers' own products, which all threads share.
constexpr size_t kLayerwiseRows = 256;
// Rows that make it worth waking another thread: some ten microseconds of work.
constexpr size_t kMinRowsPerThread = 8;
// Pixels are turned into floats this many panels at a time, so that these stay in L1 or near it.
constexpr size_t kInputPanels = 4;
// Where less than this part of a row or a block is not 0, it is worth leaving out the rest. A row
// alone waits for its weights to arrive, and lists save just that.
constexpr double kSparseRow = 0.75;
constexpr double kSparseBlock = 0.35;

bool IsSparse(size_t count, size_t n, double limit) {
  return static_cast<double>(count) < limit * static_cast<double>(n);
}

}  // namespace

Inference::Inference(const model::Model& model, const kernels::KernelSet& kernels,
                     const Options& options)
    : model_(model),
      kernels_(kernels),
      math_(options.math),
      max_batch_(options.max_batch),
      threads_(options.threads),
      skip_zeros_(options.skip_zeros),
      bf16_weights_(options.bf16_weights),
      width_(kernels.gemv != nullptr && kernels.panel != nullptr ? kernels.panel->width : 0),
      block_(std::min(max_batch_, kBlockRows)),
      // One line more than its rows: panels do not share their L1 sets.
      stride_(block_ * width_ + kFloatsPerLine) {
  MLP_CHECK_GT(max_batch_, 0u);
  MLP_CHECK_GT(threads_, 0);
  if (width_ > 0) {
    MLP_CHECK_EQ(kernels.gemv->width, width_);
    size_t inputs = model.inputs();
    for (const model::DenseSpec& layer : model.spec().layers) {
      layers_.push_back({inputs, layer.units, layer.activation, {}, {}, {}});
      inputs = layer.units;
    }
    desks_.resize(static_cast<size_t>(threads_));
    for (Desk& desk : desks_) desk.sparse_rows.resize(block_);
  } else {
    MLP_CHECK(!bf16_weights_);
    layerwise_ = std::make_unique<Layerwise>(model, std::min(max_batch_, kLayerwiseRows));
  }
  arena_ = Arena::For([this](Arena& arena) { Plan(arena); });
  std::iota(all_rows_.begin(), all_rows_.end(), 0);
  Load();
}

void Inference::Plan(Arena& arena) {
  all_rows_ = arena.Take<uint32_t>(max_batch_);
  logits_memory_ = arena.Take<float>(max_batch_ * PaddedStride(model_.outputs()));
  probability_memory_ = arena.Take<float>(max_batch_ * PaddedStride(model_.spec().classes()));
  classes_ = arena.Take<uint32_t>(max_batch_);
  losses_ = arena.Take<float>(max_batch_);
  hits_ = arena.Take<uint8_t>(max_batch_);
  size_t widest = 0;
  for (Layer& layer : layers_) {
    layer.weights = arena.Take<float>(Panels(layer.outputs) * PanelStride(layer));
    layer.bias = arena.Take<float>(Panels(layer.outputs) * width_);
    if (bf16_weights_) {
      layer.words = arena.Take<float>(Panels(layer.outputs) * PanelStride(layer) / 2);
    }
    widest = std::max(widest, layer.outputs);
  }
  for (Desk& desk : desks_) {
    const size_t inputs = model_.inputs();
    for (auto& row : desk.rows) {
      row = arena.Take<float>(RoundUp(std::max(inputs, widest), width_));
    }
    desk.entries = arena.Take<uint32_t>(std::max(inputs, widest) + kernels::kListSlack);
    if (block_ == 1) continue;
    desk.pixels = arena.Take<uint8_t>(Panels(inputs) * stride_);
    desk.input = arena.Take<float>(Panels(inputs) * stride_);
    for (auto& panels : desk.panels) panels = arena.Take<float>(Panels(widest) * stride_);
  }
}

void Inference::Load() {
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const float* from = model_.parameters().data() + model_.layer_parameters(i).begin;
    for (size_t k = 0; k <= layer.inputs; ++k) {
      for (size_t p = 0; p < Panels(layer.outputs); ++p) {
        const size_t n = std::min(width_, layer.outputs - p * width_);
        float* to = k < layer.inputs ? layer.weights.data() + p * PanelStride(layer) + k * width_
                                     : layer.bias.data() + p * width_;
        std::copy_n(from + k * layer.outputs + p * width_, n, to);
      }
    }
    // Blocks of rows read the rounded floats: the same bits as of rows alone.
    if (!bf16_weights_) continue;
    kernels_.gemv->pack(layer.weights.size(), layer.weights.data(), layer.words.data());
  }
}

size_t Inference::bytes() const {
  return arena_.bytes() + (layerwise_ != nullptr ? layerwise_->bytes() : 0);
}

void Inference::Predict(std::span<const uint8_t> pixels) {
  const size_t n = pixels.size() / model_.inputs();
  MLP_CHECK_EQ(n * model_.inputs(), pixels.size());
  MLP_CHECK_LE(n, max_batch_);
  Predict(Inputs{pixels.data(), nullptr, model_.inputs(), all_rows_.first(n)});
}

void Inference::Predict(std::span<const float> values) {
  const size_t n = values.size() / model_.inputs();
  MLP_CHECK_EQ(n * model_.inputs(), values.size());
  MLP_CHECK_LE(n, max_batch_);
  Predict(Inputs{nullptr, values.data(), model_.inputs(), all_rows_.first(n)});
}

template <class Body>
void Inference::OnTeam(size_t n, Body body) const {
  // One thread or all: a team of another size would have to be put together anew.
  const bool all = n >= kMinRowsPerThread * static_cast<size_t>(threads_);
  RunTeam(all ? threads_ : 1, body);
}

void Inference::Predict(const Inputs& inputs) {
  const size_t n = inputs.rows.size();
  MLP_CHECK_EQ(inputs.width, model_.inputs());
  MLP_CHECK_LE(n, max_batch_);
  logits_ = {logits_memory_.data(), n, model_.outputs(), PaddedStride(model_.outputs())};
  if (n == 0) return;
  if (layerwise_ != nullptr) return PredictLayerwise(inputs);
  OnTeam(n, [&](const Worker& worker) {
    Desk& desk = desks_[static_cast<size_t>(worker.rank())];
    const Range share = worker.Share(n);
    const size_t blocks = (share.size() + block_ - 1) / block_;
    for (size_t b = 0; b < blocks; ++b) {
      const Range part = Share(share.size(), 1, b, blocks);
      const size_t begin = share.begin + part.begin;
      const Inputs block = inputs.Part(begin, part.size());
      if (part.size() == 1) {
        PredictRow(desk, block, logits_.row(begin));
      } else {
        PredictBlock(desk, block, logits_.Rows(begin, part.size()));
      }
    }
  });
}

void Inference::PredictLayerwise(const Inputs& inputs) {
  for (size_t begin = 0; begin < inputs.rows.size(); begin += layerwise_->max_batch()) {
    const size_t n = std::min(layerwise_->max_batch(), inputs.rows.size() - begin);
    OnTeam(n, [&](const Worker& worker) {
      const kernels::Context context = {&kernels_, math_, worker};
      layerwise_->Gather(context, inputs.Part(begin, n));
      layerwise_->Forward(context, model_.parameters());
    });
    const ConstMatrix from = layerwise_->logits();
    for (size_t i = 0; i < n; ++i) std::copy_n(from.row(i), from.cols(), logits_.row(begin + i));
  }
}

ConstMatrix Inference::Probabilities() {
  const size_t classes = model_.spec().classes();
  const Matrix probabilities(probability_memory_.data(), logits_.rows(), classes,
                             PaddedStride(classes));
  kernels::Probabilities(Alone(), model_.spec().loss, logits_, probabilities);
  return probabilities;
}

std::span<const uint32_t> Inference::Classes() {
  const std::span<uint32_t> classes = classes_.first(logits_.rows());
  if (!classes.empty()) kernels::Classify(Alone(), model_.spec().loss, logits_, classes);
  return classes;
}

StepResult Inference::Score(std::span<const uint8_t> labels) {
  const size_t n = logits_.rows();
  MLP_CHECK_EQ(labels.size(), n);
  if (n == 0) return {};
  // The gradient that comes with the loss is not needed.
  const Matrix gradient(probability_memory_.data(), n, logits_.cols(), logits_.stride());
  OnTeam(n, [&](const Worker& worker) {
    kernels::Loss({&kernels_, math_, worker}, model_.spec().loss, logits_, labels, 1,
                  losses_.first(n), hits_.first(n), gradient);
  });
  return StepResult::Of(losses_.first(n), hits_.first(n));
}

kernels::Gemv Inference::JobOf(const Layer& layer, float* y) const {
  const bool words = !layer.words.empty();
  return {layer.outputs,
          words ? layer.words.data() : layer.weights.data(),
          words ? PanelStride(layer) / 2 : PanelStride(layer),
          layer.bias.data(),
          y,
          words};
}

void Inference::PredictRow(Desk& desk, const Inputs& inputs, float* logits) const {
  const size_t first = inputs.rows[0] * inputs.width;
  const float* x = inputs.values != nullptr ? inputs.values + first : nullptr;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    // The logits' rows have room for whole vectors, too.
    float* y = i + 1 == layers_.size() ? logits : desk.rows[i % 2].data();
    const kernels::Gemv job = JobOf(layer, y);
    if (i == 0 && inputs.pixels != nullptr) {
      MultiplyPixelRow(desk, job, inputs.pixels + first);
    } else {
      MultiplyFloatRow(desk, job, x, layer.inputs);
    }
    if (layer.activation != kernels::Activation::kIdentity) {
      kernels::ActivateBlock(Alone(), layer.activation, {y, 1, layer.outputs},
                             {y, 1, layer.outputs});
    }
    x = y;
  }
}

void Inference::MultiplyPixelRow(Desk& desk, const kernels::Gemv& job,
                                 const uint8_t* pixels) const {
  const kernels::GemvKernels& gemv = *kernels_.gemv;
  const size_t n = model_.inputs();
  if (skip_zeros_ && !IsNarrow(job.columns) &&
      IsSparse(gemv.count_bytes(n, pixels), n, kSparseRow)) {
    const size_t count = gemv.list_bytes(n, 0, pixels, desk.entries.data());
    gemv.byte_list(job, {desk.entries.data(), count}, kPixelValues.data());
  } else {
    gemv.bytes(job, pixels, n, kPixelValues.data());
  }
}

void Inference::MultiplyFloatRow(Desk& desk, const kernels::Gemv& job, const float* x,
                                 size_t n) const {
  const kernels::GemvKernels& gemv = *kernels_.gemv;
  if (skip_zeros_ && !IsNarrow(job.columns)) {
    const size_t count = gemv.list_floats(n, x, desk.entries.data());
    if (IsSparse(count, n, kSparseRow)) {
      return gemv.float_list(job, x, desk.entries.first(count));
    }
  }
  gemv.floats(job, x, n);
}

void Inference::PredictBlock(Desk& desk, const Inputs& inputs, Matrix logits) const {
  const size_t rows = inputs.rows.size();
  const float* x = desk.input.data();
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    float* y = desk.panels[i % 2].data();
    const bool of_pixels = i == 0 && inputs.pixels != nullptr;
    if (i == 0 && !of_pixels) GatherValues(desk, inputs);
    if (IsNarrow(layer.outputs)) {
      for (size_t row = 0; row < rows; ++row) {
        const kernels::Gemv job = JobOf(layer, y + row * width_);
        if (of_pixels) {
          MultiplyPixelRow(desk, job, inputs.pixels + inputs.rows[row] * inputs.width);
        } else {
          CopyRow(x, row, layer.inputs, desk.rows[0].data());
          MultiplyFloatRow(desk, job, desk.rows[0].data(), layer.inputs);
        }
      }
    } else if (!of_pixels) {
      Multiply(layer, rows, x, y);
    } else if (skip_zeros_ && IsSparseBlock(inputs)) {
      MultiplySparse(desk, inputs, y);
    } else {
      MultiplyPixels(desk, inputs, y);
    }
    if (layer.activation != kernels::Activation::kIdentity) {
      for (size_t p = 0; p < Panels(layer.outputs); ++p) {
        const size_t n = rows * width_;
        float* panel = y + p * stride_;
        kernels::ActivateBlock(Alone(), layer.activation, {panel, 1, n}, {panel, 1, n});
      }
    }
    x = y;
  }
  for (size_t i = 0; i < rows; ++i) CopyRow(x, i, logits.cols(), logits.row(i));
}

void Inference::CopyRow(const float* panels, size_t row, size_t n, float* to) const {
  for (size_t p = 0; p < Panels(n); ++p) {
    std::copy_n(panels + p * stride_ + row * width_, std::min(width_, n - p * width_),
                to + p * width_);
  }
}

bool Inference::IsSparseBlock(const Inputs& inputs) const {
  size_t count = 0;
  for (const uint32_t row : inputs.rows) {
    count += kernels_.gemv->count_bytes(inputs.width, inputs.pixels + row * inputs.width);
  }
  return IsSparse(count, inputs.width * inputs.rows.size(), kSparseBlock);
}

void Inference::Multiply(const Layer& layer, size_t rows, const float* x, float* y) const {
  for (size_t p = 0; p < Panels(layer.outputs); ++p) {
    kernels_.panel->product({.rows = rows,
                             .depth = layer.inputs,
                             .columns = std::min(width_, layer.outputs - p * width_),
                             .a = x,
                             .a_stride = stride_,
                             .b = layer.weights.data() + p * PanelStride(layer),
                             .start = layer.bias.data() + p * width_,
                             .y = y + p * stride_});
  }
}

void Inference::MultiplyPixels(Desk& desk, const Inputs& inputs, float* y) const {
  const Layer& layer = layers_.front();
  const kernels::PanelKernels& panel = *kernels_.panel;
  const size_t rows = inputs.rows.size();
  const Range all[] = {{0, inputs.width}};
  panel.gather({inputs.pixels, inputs.width, inputs.rows, all, inputs.width, /*scratch=*/nullptr,
                desk.pixels.data(), stride_});
  const size_t panels = Panels(inputs.width);
  for (size_t q = 0; q < panels; q += kInputPanels) {
    const size_t count = std::min(kInputPanels, panels - q);
    for (size_t c = 0; c < count; ++c) {
      panel.convert(rows * width_, kPixelScale, desk.pixels.data() + (q + c) * stride_,
                    desk.input.data() + c * stride_);
    }
    for (size_t p = 0; p < Panels(layer.outputs); ++p) {
      panel.product({.rows = rows,
                     .depth = std::min(count * width_, inputs.width - q * width_),
                     .columns = std::min(width_, layer.outputs - p * width_),
                     .a = desk.input.data(),
                     .a_stride = stride_,
                     .b = layer.weights.data() + p * PanelStride(layer) + q * width_ * width_,
                     .start = q == 0 ? layer.bias.data() + p * width_ : nullptr,
                     .y = y + p * stride_});
    }
  }
}

void Inference::MultiplySparse(Desk& desk, const Inputs& inputs, float* y) const {
  const Layer& layer = layers_.front();
  const size_t rows = inputs.rows.size();
  const size_t panels = Panels(layer.outputs);
  kernels::RowPrefetcher none;
  for (size_t k = 0; k < inputs.width; k += kernels::kSparseColumns) {
    const size_t columns = std::min(kernels::kSparseColumns, inputs.width - k);
    const auto sparse_rows = std::span(desk.sparse_rows).first(rows);
    for (size_t i = 0; i < rows; ++i) {
      sparse_rows[i].pixels = inputs.pixels + inputs.rows[i] * inputs.width + k;
    }
    kernels_.sparse->search({columns, sparse_rows});
    for (size_t p = 0; p < panels; p += kernels::kMaxSparseOperands) {
      std::array<kernels::SparseProduct::Operand, kernels::kMaxSparseOperands> operands;
      const size_t count = std::min(kernels::kMaxSparseOperands, panels - p);
      for (size_t o = 0; o < count; ++o) {
        operands[o] = {layer.weights.data() + (p + o) * PanelStride(layer) + k * width_,
                       k == 0 ? layer.bias.data() + (p + o) * width_ : nullptr,
                       y + (p + o) * stride_};
      }
      kernels_.sparse->product({.rows = sparse_rows,
                                .values = kPixelValues.data(),
                                .operands = std::span(operands).first(count),
                                .prefetch = &none});
    }
  }
}

void Inference::GatherValues(Desk& desk, const Inputs& inputs) const {
  for (size_t p = 0; p < Panels(inputs.width); ++p) {
    const size_t n = std::min(width_, inputs.width - p * width_);
    float* to = desk.input.data() + p * stride_;
    for (const uint32_t row : inputs.rows) {
      std::copy_n(inputs.values + row * inputs.width + p * width_, n, to);
      to += width_;
    }
  }
}

}  // namespace mlp::engine
