// What a TensorParallel has: the cut of each layer, its memory, and the way of weights into it and
// out of it.
#include <algorithm>

#include "mlp/base/check.h"
#include "mlp/engine/tensor_parallel.h"
#include "mlp/kernels/elementwise/activation.h"
#include "mlp/kernels/kernels.h"
#include "mlp/tensor/matrix.h"

namespace mlp::engine {
namespace {

// Shards begin at multiples of this many columns: of the widest panel, so that all instruction sets
// cut a layer in the same places.
constexpr size_t kGrain = 32;
constexpr size_t kMaxShards = 16;

// Whether a weight of the first layer's row k may change without a gradient.
bool HasState(const optim::Optimizer& optimizer, size_t k, size_t units) {
  for (size_t s = 0; s < optimizer.state_count(); ++s) {
    const std::span<const float> row = optimizer.state(s).subspan(k * units, units);
    if (std::ranges::any_of(row, [](float x) { return x != 0; })) return true;
  }
  return false;
}

// Those of the data's columns that matter: where something is, was when these weights were trained
// before, or where weights decay.
std::vector<uint32_t> UsedInputs(const model::ModelSpec& spec, const optim::Optimizer& optimizer,
                                 std::span<const uint32_t> used) {
  std::vector<uint32_t> columns;
  const bool all = used.empty() || optimizer.options().weight_decay != 0;
  for (uint32_t k = 0; k < spec.inputs; ++k) {
    const bool is_used = !used.empty() && used.front() == k;
    if (is_used) used = used.subspan(1);
    if (all || is_used || HasState(optimizer, k, spec.layers.front().units)) columns.push_back(k);
  }
  return columns;
}

}  // namespace

size_t DefaultShards(const model::ModelSpec& spec) {
  size_t widest = spec.layers.size() == 1 ? spec.inputs : 0;
  for (size_t i = 0; i + 1 < spec.layers.size(); ++i) {
    widest = std::max(widest, spec.layers[i].units);
  }
  return std::clamp<size_t>(widest / kGrain, 1, kMaxShards);
}

TensorParallel::TensorParallel(const model::Model& model, const optim::Optimizer& optimizer,
                               const kernels::KernelSet& kernels, const Options& options)
    : kernels_(kernels),
      panel_(*kernels.panel),
      sparse_(*kernels.sparse),
      precision_(options.precision),
      pairs_(precision_ == kernels::Precision::kFp32 ? nullptr
             : options.tiles                         ? kernels.tiles
                                                     : kernels.pairs),
      math_(options.math),
      optimizer_(optimizer.options().kind),
      loss_(model.spec().loss),
      width_(panel_.width),
      shards_(options.shards),
      max_batch_(options.max_batch),
      features_(model.inputs()),
      columns_(UsedInputs(model.spec(), optimizer, options.columns)),
      // One line more than its rows: panels do not share their L1 sets.
      stride_(RoundUp(max_batch_, pairs_ == nullptr ? 1 : pairs_->grain) * width_ + kFloatsPerLine),
      threads_(static_cast<int>(std::min(static_cast<size_t>(options.threads), shards_))),
      skip_zeros_(options.skip_zeros),
      meets_after_step_(model.spec().layers.size() <= 2),
      profile_(options.profile),
      signals_(threads_),
      past_caches_(options.past_caches) {
  MLP_CHECK_GT(shards_, 0u);
  MLP_CHECK_GT(max_batch_, 0u);
  MLP_CHECK(pairs_ == nullptr ? precision_ == kernels::Precision::kFp32 : pairs_->width == width_);
  const model::ModelSpec& spec = model.spec();
  const size_t count = spec.layers.size();
  size_t inputs = columns_.size();
  for (size_t i = 0; i < count; ++i) {
    const model::DenseSpec& layer = spec.layers[i];
    layers_.push_back({.inputs = inputs,
                       .outputs = layer.units,
                       .activation = layer.activation,
                       .keeps_z = !kernels::SlopeFromOutput(layer.activation),
                       .split = (count - i) % 2 == 1 ? Split::kByRows : Split::kByColumns,
                       .slices = std::vector<Slice>(shards_),
                       .wholes = {}});
    const bool by_rows = layers_[i].split == Split::kByRows;
    if (by_rows) layers_[i].wholes.resize(static_cast<size_t>(threads_));
    for (size_t s = 0; s < shards_; ++s) {
      Slice& slice = layers_[i].slices[s];
      slice.in = by_rows ? Share(inputs, kGrain, s, shards_) : Range{0, inputs};
      slice.out = by_rows ? Range{0, layer.units} : Share(layer.units, kGrain, s, shards_);
    }
    inputs = layer.units;
  }
  desks_.resize(static_cast<size_t>(threads_));
  PlanRoots();
  PlanStretches();
  for (size_t t = 0; t < desks_.size(); ++t) {
    desks_[t].runs = RunsOf(InputColumns(Share(shards_, 1, t, desks_.size())));
    for (const Stretch& stretch : stretches_) {
      desks_[t].stretches.push_back({.columns = stretch.columns, .to = nullptr, .found = nullptr});
    }
  }
  arena_ = Arena::For([this](Arena& arena) { Plan(arena); });
  Load(model, optimizer);
}

void TensorParallel::Plan(Arena& arena) {
  const auto activations = [&](size_t columns) {
    return arena.Take<float>(Panels(columns) * stride_);
  };
  // Words of so many floats a term; those of 0 terms are the values.
  const auto split = [&](std::span<float> values, size_t terms, size_t floats) {
    if (terms == 0) return kernels::Split{values.data(), 0, 0};
    return kernels::Split{arena.Take<float>(terms * floats).data(), terms, floats};
  };
  // Read by products of layer i.
  const auto factor = [&](std::span<float> values, size_t columns, size_t i) {
    const size_t terms = i < layers_.size() ? TermsOf(i) : 0;
    return Factor{values, split(values, terms, (Panels(columns) + 1) / 2 * stride_),
                  split(values, terms, Panels(columns) * stride_)};
  };
  const auto parameters = [&](size_t n) {
    Parameters taken;
    taken.values = arena.Take<float>(n);
    for (size_t k = 0; k < kernels::States(optimizer_); ++k) taken.states[k] = arena.Take<float>(n);
    return taken;
  };
  const auto panels_of = [&](size_t rows, size_t columns) {
    return Panels(columns) * RoundUp(rows, width_) * width_;
  };
  for (size_t s = 0; s < shards_; ++s) {
    for (size_t i = 0; i < layers_.size(); ++i) {
      Layer& layer = layers_[i];
      Slice& slice = layer.slices[s];
      slice.weights = parameters(panels_of(slice.in.size(), slice.out.size()));
      slice.bias = parameters(RoundUp(slice.out.size(), width_));
      if (i > 0) slice.transposed = arena.Take<float>(panels_of(slice.out.size(), slice.in.size()));
      slice.forward =
          split(slice.weights.values, TermsOf(i), panels_of(slice.in.size(), slice.out.size()) / 2);
      slice.backward = split(slice.transposed, i == 0 ? 0 : TermsOf(i),
                             panels_of(slice.out.size(), slice.in.size()) / 2);
      if (layer.split == Split::kByRows) continue;
      const size_t columns = slice.out.size();
      slice.product = activations(columns);
      slice.y = factor(layer.keeps_z ? activations(columns) : slice.product, columns, i + 1);
      slice.d = factor(activations(columns), columns, i);
    }
    arena.SetApart();
  }
  // What threads read of each other.
  for (size_t s = 0; s < shards_; ++s) {
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const bool by_rows = layer.split == Split::kByRows;
      if (i == 0 && !by_rows) continue;
      Slice& slice = layers_[i].slices[s];
      const size_t columns = by_rows ? layer.outputs : layer.inputs;
      slice.partial = activations(columns);
      if (by_rows) slice.product = slice.partial;
      arena.SetApart();
      const bool is_root =
          std::ranges::any_of(roots_, [s](const Root& root) { return root.shards.begin == s; });
      if (threads_ == 1 || !is_root) continue;
      slice.published = activations(columns);
      arena.SetApart();
    }
  }
  for (size_t t = 0; t < desks_.size(); ++t) {
    for (size_t i = 0; i < layers_.size(); ++i) {
      Layer& layer = layers_[i];
      if (layer.split == Split::kByColumns) continue;
      Whole& whole = layer.wholes[t];
      if (layer.keeps_z) whole.z = activations(layer.outputs);
      whole.y = factor(activations(layer.outputs), layer.outputs, i + 1);
      whole.d = factor(activations(layer.outputs), layer.outputs, i);
    }
    Desk& desk = desks_[t];
    if (skip_zeros_) {
      desk.rows = arena.Take<kernels::SparseRow>(stretches_.size() * max_batch_);
      for (size_t l = 0; l < stretches_.size(); ++l) {
        kernels::SparseStretch& stretch = desk.stretches[l];
        stretch.to =
            arena.Take<uint8_t>(max_batch_ * kernels::kSparseColumns + kernels::kRunPiece).data();
        stretch.found = desk.rows.data() + l * max_batch_;
      }
      for (size_t k = 0; k < desk.rows.size(); ++k) {
        desk.rows[k].pixels =
            desk.stretches[k / max_batch_].to + k % max_batch_ * kernels::kSparseColumns;
      }
      desk.bits = arena.Take<uint64_t>(layers_[0].inputs * kernels::SparseWords(max_batch_));
    } else {
      if (desk.runs.size() != 1) {
        desk.gathered =
            arena.Take<uint8_t>(kernels::kGatherRows * kernels::GatherRowBytes(columns_.size()));
      }
      // The last stretch of packed pixels has room as a whole.
      desk.pixels =
          arena.Take<uint8_t>(Panels(layers_[0].inputs + kernels::kSparseColumns) * stride_);
      for (size_t l = 0; l < stretches_.size(); ++l) {
        desk.stretches[l].to = desk.pixels.data() + stretches_[l].columns.begin / width_ * stride_;
      }
      desk.input = arena.Take<float>(kInputPanels * stride_);
    }
    desk.parts = arena.Take<kernels::PanelSum::Part>(roots_.size());
    desk.gradient = arena.Take<float>(width_);
    desk.labels = arena.Take<uint8_t>(max_batch_);
    desk.losses = arena.Take<float>(max_batch_);
    desk.hits = arena.Take<uint8_t>(max_batch_);
    const size_t outputs = layers_.back().outputs;
    if (Panels(outputs) > 1) desk.logits = arena.Take<float>(max_batch_ * PaddedStride(outputs));
    arena.SetApart();
  }
}

template <class Visit>
void TensorParallel::ForEachStretch(Visit visit) const {
  size_t begin = 0;
  for (const Layer& layer : layers_) {
    const bool is_first = &layer == &layers_.front();
    const size_t inputs = is_first ? features_ : layer.inputs;
    for (size_t s = 0; s < shards_; ++s) {
      const Slice& slice = layer.slices[s];
      const size_t height = RoundUp(slice.in.size(), width_);
      for (size_t p = 0; p < Panels(slice.out.size()); ++p) {
        const size_t n = ColumnsOf(slice.out.size(), p);
        const size_t column = slice.out.begin + p * width_;
        for (size_t k = 0; k < slice.in.size(); ++k) {
          const size_t row = is_first ? columns_[slice.in.begin + k] : slice.in.begin + k;
          visit(begin + row * layer.outputs + column, slice.weights, (p * height + k) * width_, n);
        }
        if (layer.split == Split::kByColumns || s == 0) {
          visit(begin + inputs * layer.outputs + column, slice.bias, p * width_, n);
        }
      }
    }
    begin += (inputs + 1) * layer.outputs;
  }
}

void TensorParallel::Load(const model::Model& model, const optim::Optimizer& optimizer) {
  ForEachStretch([&](size_t at, const Parameters& to, size_t offset, size_t n) {
    std::ranges::copy(model.parameters().subspan(at, n), to.values.data() + offset);
    for (size_t k = 0; k < kernels::States(optimizer_); ++k) {
      std::ranges::copy(optimizer.state(k).subspan(at, n), to.states[k].data() + offset);
    }
  });
  for (size_t i = 0; i < layers_.size(); ++i) {
    for (const Slice& slice : layers_[i].slices) Derive(i, slice);
  }
}

void TensorParallel::Store(model::Model& model, optim::Optimizer& optimizer) const {
  ForEachStretch([&](size_t at, const Parameters& from, size_t offset, size_t n) {
    std::ranges::copy(from.values.subspan(offset, n), model.parameters().data() + at);
    for (size_t k = 0; k < kernels::States(optimizer_); ++k) {
      std::ranges::copy(from.states[k].subspan(offset, n), optimizer.state(k).data() + at);
    }
  });
}

std::vector<Range> TensorParallel::RunsOf(Range columns) const {
  std::vector<Range> runs;
  for (size_t k = columns.begin; k < columns.end; ++k) {
    const size_t column = columns_[k];
    if (runs.empty() || runs.back().end != column) runs.push_back({column, column});
    ++runs.back().end;
  }
  return runs;
}

void TensorParallel::PlanStretches() {
  for (Slice& slice : layers_.front().slices) {
    // By columns, all shards read the same input.
    if (layers_.front().split == Split::kByRows || stretches_.empty()) {
      slice.stretches.begin = stretches_.size();
      // One at least, for the sake of the bias.
      for (size_t k = slice.in.begin; k == slice.in.begin || k < slice.in.end;
           k += kernels::kSparseColumns) {
        const Range columns = {k, std::min(k + kernels::kSparseColumns, slice.in.end)};
        stretches_.push_back({columns, RunsOf(columns)});
      }
      slice.stretches.end = stretches_.size();
    } else {
      slice.stretches = layers_.front().slices.front().stretches;
    }
  }
}

void TensorParallel::PlanRoots() {
  struct Node {
    size_t begin;
    size_t size;
  };
  std::vector<Node> open;
  for (size_t t = 0; t < static_cast<size_t>(threads_); ++t) {
    const Range own = Share(shards_, 1, t, static_cast<size_t>(threads_));
    for (size_t begin = own.begin; begin < own.end;) {
      size_t size = 1;
      while (begin % (2 * size) == 0 && begin + 2 * size <= own.end) size *= 2;
      size_t merges = 0;
      for (open.push_back({begin, size}); open.size() > 1; ++merges) {
        const Node& left = open[open.size() - 2];
        if (left.size != open.back().size || left.begin % (2 * left.size) != 0) break;
        open.pop_back();
        open.back().size *= 2;
      }
      roots_.push_back({{begin, begin + size}, merges});
      begin += size;
    }
  }
  roots_.back().merges += open.size() - 1;
}

}  // namespace mlp::engine
