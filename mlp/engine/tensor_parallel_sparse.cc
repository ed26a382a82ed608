// The first layer by the pixels that are not 0.
#include <algorithm>
#include <array>
#include <utility>

#include "mlp/data/packed_pixels.h"
#include "mlp/engine/tensor_parallel.h"

namespace mlp::engine {

void TensorParallel::GatherStretches(const Turn& turn) const {
  const Range stretches = InputStretches(turn.shards);
  const data::Examples& examples = *turn.batch.examples;
  if (!examples.packed.empty()) Unpack(turn);
  for (size_t l = stretches.begin; l < stretches.end; ++l) {
    const Stretch& stretch = stretches_[l];
    const std::span<kernels::SparseRow> rows = turn.desk.rows.subspan(l * max_batch_, turn.rows());
    if (examples.packed.empty()) {
      sparse_.gather({examples.pixels.data(), features_, turn.batch.rows, stretch.runs,
                      turn.desk.stretches[l].to});
      sparse_.search({stretch.columns.size(), rows});
    }
    sparse_.transpose(
        {stretch.columns.size(), rows,
         turn.desk.bits.data() + stretch.columns.begin * kernels::SparseWords(turn.rows())});
  }
}

template <class Visit>
void TensorParallel::ForEachSparseGroup(const Turn& turn, Visit visit) const {
  // Panels of all shards of this worker that read the same columns of the input.
  const Layer& layer = layers_.front();
  std::array<std::pair<size_t, size_t>, kernels::kMaxSparseOperands> group;  // {shard, panel}
  size_t size = 0;
  const auto flush = [&] {
    if (size > 0) visit(std::span(group).first(size));
    size = 0;
  };
  for (size_t s = turn.shards.begin; s < turn.shards.end; ++s) {
    for (size_t p = 0; p < Panels(layer.slices[s].out.size()); ++p) {
      group[size++] = {s, p};
      if (size == group.size()) flush();
    }
    if (layer.split == Split::kByRows) flush();
  }
  flush();
}

// The first layer's product.
void TensorParallel::ForwardSparse(const Turn& turn) const {
  const Layer& layer = layers_.front();
  // Packed rows have so few lines that updates can ask for all of them: they have more time for it.
  kernels::RowPrefetcher none;
  kernels::RowPrefetcher* const prefetch =
      turn.batch.examples->packed.empty() ? &turn.desk.prefetch : &none;
  ForEachSparseGroup(turn, [&](std::span<const std::pair<size_t, size_t>> group) {
    const Slice& any = layer.slices[group[0].first];
    std::array<kernels::SparseProduct::Operand, kernels::kMaxSparseOperands> operands;
    for (size_t l = any.stretches.begin; l < any.stretches.end; ++l) {
      const size_t k = stretches_[l].columns.begin - any.in.begin;
      for (size_t o = 0; o < group.size(); ++o) {
        const auto [s, p] = group[o];
        const Slice& slice = layer.slices[s];
        operands[o] = {
            slice.weights.values.data() + (p * RoundUp(any.in.size(), width_) + k) * width_,
            k == 0 ? slice.bias.values.data() + p * width_ : nullptr,
            slice.product.data() + p * stride_};
      }
      sparse_.product({.rows = turn.desk.rows.subspan(l * max_batch_, turn.rows()),
                       .values = kPixelValues.data(),
                       .operands = std::span(operands).first(group.size()),
                       .prefetch = prefetch});
    }
  });
}

// The first layer's W, by the bits of the input's columns.
void TensorParallel::UpdateSparse(const Turn& turn) const {
  const Layer& layer = layers_.front();
  ForEachSparseGroup(turn, [&](std::span<const std::pair<size_t, size_t>> group) {
    const Slice& any = layer.slices[group[0].first];
    const Range in = any.in;
    std::array<kernels::SparseUpdate::Operand, kernels::kMaxSparseOperands> operands;
    for (size_t q = 0; q < Panels(in.size()); ++q) {
      const size_t k = q * width_;
      for (size_t o = 0; o < group.size(); ++o) {
        const auto [s, p] = group[o];
        const Slice& slice = layer.slices[s];
        const std::span<const float> d =
            layer.split == Split::kByRows ? layer.wholes[turn.rank()].d.values : slice.d.values;
        const size_t offset = (p * RoundUp(in.size(), width_) + q * width_) * width_;
        operands[o] = {d.data() + p * stride_, slice.weights.values.data() + offset, {}};
        for (size_t k = 0; k < kernels::States(optimizer_); ++k) {
          operands[o].states[k] = slice.weights.states[k].data() + offset;
        }
      }
      sparse_.update(
          optimizer_, math_, turn.update,
          {.batch = turn.rows(),
           .columns = ColumnsOf(in.size(), q),
           .bits = turn.desk.bits.data() + (in.begin + k) * kernels::SparseWords(turn.rows()),
           .pixels = turn.desk.stretches[any.stretches.begin + k / kernels::kSparseColumns].to +
                     k % kernels::kSparseColumns,
           .values = kPixelValues.data(),
           .operands = std::span(operands).first(group.size()),
           .prefetch = &turn.desk.prefetch});
    }
  });
}

}  // namespace mlp::engine
