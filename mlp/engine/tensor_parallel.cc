#include "mlp/engine/tensor_parallel.h"

#include <algorithm>
#include <array>

#include "mlp/data/packed_pixels.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/reduce/reduce.h"
#include "mlp/tensor/matrix.h"

namespace mlp::engine {
namespace {

alignas(kCacheLineBytes) constexpr float kZeros[64] = {};

// The same from `offset` on, of each term.
kernels::Split At(const kernels::Split& split, size_t offset) {
  return {split.to + offset, split.terms, split.stride};
}

}  // namespace

void TensorParallel::Derive(size_t i, const Slice& slice) const {
  const size_t rows = Panels(slice.in.size());
  const size_t columns = Panels(slice.out.size());
  for (size_t p = 0; p < columns; ++p) {
    for (size_t q = 0; q < rows; ++q) {
      PackWeights(i, slice, p, q);
      if (i == 0) continue;
      const size_t block = (q * columns + p) * width_ * width_;
      panel_.transpose(slice.weights.values.data() + (p * rows + q) * width_ * width_,
                       slice.transposed.data() + block);
      if (TermsOf(i) == 0) continue;
      pairs_->rows(width_, 1, slice.transposed.data() + block, At(slice.backward, block / 2));
    }
  }
}

// Rows q * width .. of panel p.
void TensorParallel::PackWeights(size_t i, const Slice& slice, size_t p, size_t q) const {
  if (TermsOf(i) == 0) return;
  const size_t block = (p * Panels(slice.in.size()) + q) * width_ * width_;
  // Bytes are exact words, their scale is not: the weights have it.
  pairs_->rows(width_, i == 0 ? kPixelScale : 1, slice.weights.values.data() + block,
               At(slice.forward, block / 2));
}

void TensorParallel::PackColumns(const Turn& turn, const Factor& factor, size_t columns) const {
  if (factor.columns.terms == 0) return;
  const size_t panels = Panels(columns);
  for (size_t p = 0; p < panels; p += 2) {
    const float* panel = factor.values.data() + p * stride_;
    pairs_->columns(turn.rows(), panel, p + 1 < panels ? panel + stride_ : nullptr,
                    At(factor.columns, p / 2 * stride_));
  }
}

void TensorParallel::PackOutput(const Turn& turn, size_t i, const Factor& y, size_t columns) const {
  // What the last layer says is the loss's alone.
  if (i + 1 == layers_.size()) return;
  PackColumns(turn, y, columns);
  for (size_t p = 0; y.rows.terms > 0 && p < Panels(columns); ++p) {
    pairs_->x_rows(turn.rows(), y.values.data() + p * stride_, At(y.rows, p * stride_));
  }
}

void TensorParallel::PackGradient(const Turn& turn, size_t i, const Factor& d,
                                  size_t columns) const {
  // Nobody asks for the gradient of the input.
  if (i > 0) PackColumns(turn, d, columns);
  for (size_t p = 0; d.rows.terms > 0 && p < Panels(columns); ++p) {
    pairs_->rows(turn.rows(), i == 0 ? kPixelScale : 1, d.values.data() + p * stride_,
                 At(d.rows, p * stride_));
  }
}

void TensorParallel::GatherInput(const Turn& turn) const {
  const data::Examples& examples = *turn.batch.examples;
  for (size_t i = 0; i < turn.rows(); ++i) {
    turn.desk.labels[i] = examples.labels[turn.batch.rows[i]];
  }
  if (skip_zeros_) return GatherStretches(turn);
  if (!examples.packed.empty()) return Unpack(turn);
  MLP_CHECK(!examples.pixels.empty());
  const Range columns = InputColumns(turn.shards);
  // Panel p of the input lies at p * stride_, whichever panels this worker needs.
  panel_.gather({examples.pixels.data(), features_, turn.batch.rows, turn.desk.runs, columns.size(),
                 turn.desk.gathered.data(),
                 turn.desk.pixels.data() + columns.begin / width_ * stride_, stride_});
}

void TensorParallel::Unpack(const Turn& turn) const {
  const data::PackedPixels& packed = turn.batch.examples->packed;
  MLP_CHECK_EQ(columns_.size(), packed.columns().size());
  const Range stretches = InputStretches(turn.shards);
  sparse_.unpack({{packed.records(), packed.offsets().data(), packed.words(), packed.lines()},
                  turn.batch.rows,
                  std::span(turn.desk.stretches).subspan(stretches.begin, stretches.size()),
                  skip_zeros_ ? 0 : stride_});
}

// What a product over columns of the input reads.
void TensorParallel::ConvertInput(const Turn& turn, size_t first, size_t count) const {
  const auto pixels = [&](size_t p) { return turn.desk.pixels.data() + (first + p) * stride_; };
  for (size_t p = 0; pairs_ != nullptr && p < count; p += 2) {
    pairs_->byte_columns(turn.rows(), pixels(p), p + 1 < count ? pixels(p + 1) : nullptr,
                         turn.desk.input.data() + p / 2 * stride_);
  }
  for (size_t p = 0; pairs_ == nullptr && p < count; ++p) {
    panel_.convert(turn.rows() * width_, kPixelScale, pixels(p),
                   turn.desk.input.data() + p * stride_);
  }
}

void TensorParallel::Activate(const Layer& layer, size_t rows, const float* z, float* y) const {
  if (layer.activation == kernels::Activation::kIdentity) return;
  const size_t n = rows * width_;
  kernels::ActivateBlock(Alone(), layer.activation, {z, 1, n}, {y, 1, n});
}

void TensorParallel::MultiplyBySlope(const Layer& layer, size_t rows, const float* z,
                                     const float* y, float* d) const {
  if (layer.activation == kernels::Activation::kIdentity) return;
  const size_t n = rows * width_;
  kernels::ActivateBackward(Alone(), layer.activation, {z, 1, n}, {y, 1, n}, {d, 1, n}, {d, 1, n});
}

TensorParallel::Sink TensorParallel::SinkOf(const Turn& turn, const Layer& layer, size_t s) const {
  Sink sink = {layer.slices[s].partial};
  for (size_t size = 2; (s + 1) % size == 0 && s + 1 - size >= turn.shards.begin; size *= 2) {
    sink.y = layer.slices[s + 1 - size].partial;
    sink.add[sink.adds++] = sink.y.data();
  }
  if (!turn.past_caches) return sink;
  const auto root =
      std::ranges::find(roots_, s + 1, [](const Root& root) { return root.shards.end; });
  if (root != roots_.end()) sink.published = layer.slices[root->shards.begin].published;
  return sink;
}

void TensorParallel::Publish(const Turn& turn, const Sink& sink, size_t p) const {
  if (sink.published.empty()) return;
  panel_.publish(turn.rows() * width_, sink.y.data() + p * stride_,
                 sink.published.data() + p * stride_);
}

void TensorParallel::SumPartials(const Turn& turn, const Layer& layer, size_t panel,
                                 float* to) const {
  for (size_t r = 0; r < roots_.size(); ++r) {
    const auto [shards, merges] = roots_[r];
    const Slice& slice = layer.slices[shards.begin];
    const bool is_own = turn.shards.begin <= shards.begin && shards.begin < turn.shards.end;
    const std::span<float> from = turn.past_caches && !is_own ? slice.published : slice.partial;
    turn.desk.parts[r] = {from.data() + panel * stride_, merges};
  }
  panel_.sum({turn.rows() * width_, turn.desk.parts, to});
}

// The first layer's product, for shards of this worker that read the same columns of the input.
void TensorParallel::ForwardInput(const Turn& turn, Range shards) const {
  const Layer& layer = layers_.front();
  const Range in = layer.slices[shards.begin].in;
  const size_t panels = Panels(in.size());
  const size_t terms = TermsOf(0);
  // Once at least, for the sake of the bias.
  for (size_t q = 0; q == 0 || q < panels; q += kInputPanels) {
    const size_t count = std::min(kInputPanels, panels - q);
    ConvertInput(turn, in.begin / width_ + q, count);
    for (size_t s = shards.begin; s < shards.end; ++s) {
      const Slice& slice = layer.slices[s];
      for (size_t p = 0; p < Panels(slice.out.size()); ++p) {
        Product({.rows = turn.rows(),
                 .depth = Depth(terms, std::min(count * width_, in.size() - q * width_)),
                 .columns = ColumnsOf(slice.out.size(), p),
                 .a = turn.desk.input.data(),
                 .a_stride = stride_,
                 .b = slice.forward.to + Depth(terms, (p * panels + q) * width_) * width_,
                 .start = q == 0 ? slice.bias.values.data() + p * width_ : nullptr,
                 .y = slice.product.data() + p * stride_},
                {turn.desk.input.data(), 1, 0}, slice.forward);
      }
    }
  }
}

void TensorParallel::Product(const kernels::PanelProduct& job, const kernels::Split& a,
                             const kernels::Split& b) const {
  if (b.terms == 0) return panel_.product(job);
  pairs_->product(job, kernels::TermProducts(a, b));
}

void TensorParallel::Multiply(const Turn& turn, const kernels::Split& x, Range depth, Range columns,
                              const kernels::Split& b, const float* start, const Sink& sink) const {
  std::array<const float*, kernels::PanelSum::kMaxDepth> add;
  for (size_t p = 0; p < Panels(columns.size()); ++p) {
    for (size_t k = 0; k < sink.adds; ++k) add[k] = sink.add[k] + p * stride_;
    Product({.rows = turn.rows(),
             .depth = Depth(b.terms, depth.size()),
             .columns = ColumnsOf(columns.size(), p),
             .a = x.to,
             .a_stride = stride_,
             .b = b.to + p * Depth(b.terms, RoundUp(depth.size(), width_)) * width_,
             .start = start == nullptr ? kZeros : start + p * width_,
             .y = sink.y.data() + p * stride_,
             .add = std::span(add).first(sink.adds)},
            x, b);
    Publish(turn, sink, p);
  }
}

void TensorParallel::Forward(const Turn& turn, size_t i) const {
  const Layer& layer = layers_[i];
  if (i == 0 && skip_zeros_) ForwardSparse(turn);
  if (layer.split == Split::kByColumns) {
    if (i == 0 && !skip_zeros_) ForwardInput(turn, turn.shards);
    for (size_t s = turn.shards.begin; s < turn.shards.end; ++s) {
      const Slice& slice = layer.slices[s];
      if (i > 0) {
        Multiply(turn, InputOf(turn, i, s).columns, slice.in, slice.out, slice.forward,
                 slice.bias.values.data(), {slice.product});
      }
      for (size_t p = 0; p < Panels(slice.out.size()); ++p) {
        Activate(layer, turn.rows(), slice.product.data() + p * stride_,
                 slice.y.values.data() + p * stride_);
      }
      PackOutput(turn, i, slice.y, slice.out.size());
    }
    return;
  }
  for (size_t s = turn.shards.begin; s < turn.shards.end; ++s) {
    const Slice& slice = layer.slices[s];
    const Sink sink = SinkOf(turn, layer, s);
    if (i == 0) {
      if (!skip_zeros_) ForwardInput(turn, {s, s + 1});
      for (size_t p = 0; p < Panels(layer.outputs); ++p) {
        float* y = slice.partial.data() + p * stride_;
        for (size_t k = 0; k < sink.adds; ++k) {
          const kernels::PanelSum::Part parts[] = {{sink.add[k] + p * stride_, 0}, {y, 1}};
          panel_.sum({turn.rows() * width_, parts,
                      (k + 1 == sink.adds ? sink.y.data() + p * stride_ : y)});
        }
        Publish(turn, sink, p);
      }
    } else {
      Multiply(turn, InputOf(turn, i, s).columns, slice.in, slice.out, slice.forward,
               slice.bias.values.data(), sink);
    }
  }
}

void TensorParallel::FinishForward(const Turn& turn, size_t i) const {
  const Layer& layer = layers_[i];
  const Whole& whole = layer.wholes[turn.rank()];
  for (size_t p = 0; p < Panels(layer.outputs); ++p) {
    float* z = (layer.keeps_z ? whole.z : whole.y.values).data() + p * stride_;
    SumPartials(turn, layer, p, z);
    Activate(layer, turn.rows(), z, whole.y.values.data() + p * stride_);
  }
  PackOutput(turn, i, whole.y, layer.outputs);
}

void TensorParallel::Loss(const Turn& turn) {
  const Layer& layer = layers_.back();
  const Whole& whole = layer.wholes[turn.rank()];
  const size_t rows = turn.rows();
  const float scale = 1.0f / static_cast<float>(rows);
  const auto run = [&](Matrix logits, Matrix gradient) {
    kernels::Loss(Alone(), loss_, logits, turn.desk.labels.first(rows), scale,
                  turn.desk.losses.first(rows), turn.desk.hits.first(rows), gradient);
  };
  if (Panels(layer.outputs) == 1) {
    run({whole.y.values.data(), rows, layer.outputs, width_},
        {whole.d.values.data(), rows, layer.outputs, width_});
  } else {
    const Matrix logits(turn.desk.logits.data(), rows, layer.outputs, PaddedStride(layer.outputs));
    const auto for_each_part = [&](std::span<float> panels, auto visit) {
      for (size_t p = 0; p < Panels(layer.outputs); ++p) {
        for (size_t i = 0; i < rows; ++i) {
          visit(panels.data() + p * stride_ + i * width_, logits.row(i) + p * width_,
                ColumnsOf(layer.outputs, p));
        }
      }
    };
    for_each_part(whole.y.values,
                  [](float* part, float* row, size_t n) { std::copy_n(part, n, row); });
    run(logits, logits);
    for_each_part(whole.d.values,
                  [](float* part, float* row, size_t n) { std::copy_n(row, n, part); });
  }
  for (size_t p = 0; p < Panels(layer.outputs); ++p) {
    MultiplyBySlope(layer, rows, whole.z.data() + (layer.keeps_z ? p * stride_ : 0),
                    whole.y.values.data() + p * stride_, whole.d.values.data() + p * stride_);
  }
  PackGradient(turn, layers_.size() - 1, whole.d, layer.outputs);
}

const TensorParallel::Factor& TensorParallel::InputOf(const Turn& turn, size_t i,
                                                      size_t shard) const {
  const Layer& before = layers_[i - 1];
  return before.split == Split::kByColumns ? before.slices[shard].y : before.wholes[turn.rank()].y;
}

void TensorParallel::BackwardInput(const Turn& turn, size_t i) {
  if (i == 0) return;
  const Layer& layer = layers_[i];
  const Layer& before = layers_[i - 1];
  for (size_t s = turn.shards.begin; s < turn.shards.end; ++s) {
    const Slice& slice = layer.slices[s];
    if (layer.split == Split::kByColumns) {
      Multiply(turn, slice.d.columns, slice.out, slice.in, slice.backward, nullptr,
               SinkOf(turn, layer, s));
      continue;
    }
    const Slice& own = before.slices[s];
    Multiply(turn, layer.wholes[turn.rank()].d.columns, slice.out, slice.in, slice.backward,
             nullptr, {own.d.values});
    for (size_t p = 0; p < Panels(own.out.size()); ++p) {
      MultiplyBySlope(before, turn.rows(), own.product.data() + p * stride_,
                      own.y.values.data() + p * stride_, own.d.values.data() + p * stride_);
    }
    PackGradient(turn, i - 1, own.d, own.out.size());
  }
}

void TensorParallel::FinishInputGradient(const Turn& turn, size_t i) {
  const Layer& before = layers_[i - 1];
  const Whole& whole = before.wholes[turn.rank()];
  for (size_t p = 0; p < Panels(before.outputs); ++p) {
    float* d = whole.d.values.data() + p * stride_;
    SumPartials(turn, layers_[i], p, d);
    MultiplyBySlope(before, turn.rows(), whole.z.data() + (before.keeps_z ? p * stride_ : 0),
                    whole.y.values.data() + p * stride_, d);
  }
  PackGradient(turn, i - 1, whole.d, before.outputs);
}

void TensorParallel::Apply(const Turn& turn, const Parameters& parameters, size_t offset, size_t n,
                           const float* gradient) const {
  kernels::UpdateSpans spans = {parameters.values.subspan(offset, n), {gradient, n}, {}};
  for (size_t k = 0; k < kernels::States(optimizer_); ++k) {
    spans.states[k] = parameters.states[k].subspan(offset, n);
  }
  kernels::UpdateBlock(Alone(), optimizer_, turn.update, spans);
}

// The rows of W that belong to panel q of the slice's input, x.
void TensorParallel::UpdateRows(const Turn& turn, size_t i, const Slice& slice, size_t q,
                                const kernels::Split& x, const kernels::Split& d) const {
  const size_t height = RoundUp(slice.in.size(), width_);
  for (size_t p = 0; p < Panels(slice.out.size()); ++p) {
    const size_t offset = (p * height + q * width_) * width_;
    kernels::PanelUpdate job = {.batch = Depth(d.terms, turn.rows()),
                                .rows = ColumnsOf(slice.in.size(), q),
                                .columns = ColumnsOf(slice.out.size(), p),
                                .x = x.to,
                                .d = d.to + p * stride_,
                                .weights = slice.weights.values.data() + offset,
                                .states = {},
                                .prefetch = &turn.desk.prefetch};
    for (size_t k = 0; k < kernels::States(optimizer_); ++k) {
      job.states[k] = slice.weights.states[k].data() + offset;
    }
    if (d.terms == 0) {
      panel_.update(optimizer_, math_, turn.update, job);
    } else {
      pairs_->update(optimizer_, math_, turn.update, job, kernels::TermProducts(x, d));
    }
    // Those of other layers are packed as they are transposed.
    if (i == 0) PackWeights(i, slice, p, q);
  }
}

void TensorParallel::UpdateBias(const Turn& turn, const Slice& slice,
                                std::span<const float> d) const {
  for (size_t p = 0; p < Panels(slice.out.size()); ++p) {
    const std::span<float> gradient = turn.desk.gradient.first(width_);
    kernels::ColumnSums(Alone(), {d.data() + p * stride_, turn.rows(), width_},
                        kernels::Output::kOverwrite, gradient);
    Apply(turn, slice.bias, p * width_, width_, gradient.data());
  }
}

void TensorParallel::UpdateLayer(const Turn& turn, size_t i) {
  const Layer& layer = layers_[i];
  const bool by_rows = layer.split == Split::kByRows;
  const auto gradient_of = [&](const Slice& slice) -> const Factor& {
    return by_rows ? layer.wholes[turn.rank()].d : slice.d;
  };
  if (i == 0 && skip_zeros_) {
    UpdateSparse(turn);
  } else if (i == 0) {
    // Shards that read the same columns share the conversion.
    const size_t step = by_rows ? 1 : turn.shards.size();
    for (size_t begin = turn.shards.begin; begin < turn.shards.end; begin += step) {
      const Range in = layer.slices[begin].in;
      for (size_t q = 0; q < Panels(in.size()); ++q) {
        if (pairs_ == nullptr) {
          ConvertInput(turn, in.begin / width_ + q, 1);
        } else {
          pairs_->byte_rows(turn.rows(),
                            turn.desk.pixels.data() + (in.begin / width_ + q) * stride_,
                            turn.desk.input.data());
        }
        for (size_t s = begin; s < begin + step; ++s) {
          UpdateRows(turn, i, layer.slices[s], q, {turn.desk.input.data(), 1, 0},
                     gradient_of(layer.slices[s]).rows);
        }
      }
    }
  }
  for (size_t s = turn.shards.begin; s < turn.shards.end; ++s) {
    const Slice& slice = layer.slices[s];
    if (i > 0) {
      for (size_t q = 0; q < Panels(slice.in.size()); ++q) {
        UpdateRows(turn, i, slice, q, At(InputOf(turn, i, s).rows, q * stride_),
                   gradient_of(slice).rows);
      }
      Derive(i, slice);
    }
    if (!by_rows || s == 0) UpdateBias(turn, slice, gradient_of(slice).values);
  }
}

}  // namespace mlp::engine
