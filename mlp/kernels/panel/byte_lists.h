// The bytes of a batch that are not 0, by row and by column: what a product needs of a batch that
// is mostly 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mlp/base/arena.h"
#include "mlp/base/team.h"
#include "mlp/kernels/panel/panel.h"

namespace mlp::kernels {

class ByteLists {
 public:
  // Entries hold an index in 24 bits.
  static constexpr size_t kMaxIndex = (size_t{1} << 24) - 1;

  // For batches of up to max_batch rows of `features` bytes. `ranges` cut a row into stretches that
  // have lists of their own; they begin at multiples of 8 and follow each other. To be called
  // twice, see Arena.
  void Plan(Arena& arena, size_t max_batch, size_t features, std::span<const Range> ranges);

  // rows: indices of rows of `pixels` [*, features].
  void Build(const uint8_t* pixels, std::span<const uint32_t> rows);

  // Of each row of the batch, in the range; indices are columns.
  std::span<const ByteList> rows(size_t range) const {
    return {rows_.data() + range * max_batch_, batch_};
  }
  // Of each column; indices are rows of the batch.
  std::span<const ByteList> columns() const { return columns_; }

 private:
  size_t max_batch_ = 0;
  size_t features_ = 0;
  size_t column_stride_ = 0;
  size_t batch_ = 0;
  std::vector<Range> ranges_;
  std::vector<ByteList> rows_;          // [ranges, max_batch]
  std::vector<ByteList> columns_;       // [features]
  std::span<uint32_t> row_entries_;     // row after row
  std::span<uint32_t> column_entries_;  // [features, column_stride]
};

}  // namespace mlp::kernels
