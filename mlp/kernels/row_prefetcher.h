// Asks for rows of bytes that are needed soon, a cache line at a time, so that the requests can be
// spread through other work instead of filling the queue of outstanding ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mlp::kernels {

class RowPrefetcher {
 public:
  RowPrefetcher() = default;
  // rows: indices of rows of `width` bytes from `base`.
  RowPrefetcher(const uint8_t* base, size_t width, std::span<const uint32_t> rows)
      : base_(base), width_(width), rows_(rows) {}

  // rows: indices of rows of about so many lines, row i from offsets[i] * grain bytes on. (How long
  // each of them is, a branch would have to wait for.)
  RowPrefetcher(const uint8_t* base, size_t lines, const uint32_t* offsets, size_t grain,
                std::span<const uint32_t> rows)
      : base_(base), width_(lines * kLine), offsets_(offsets), grain_(grain), rows_(rows) {}

  // The next line, if there is one.
  void Next() {
    if (offset_ >= width_) {
      if (rows_.empty()) return;
      const size_t row = rows_.front();
      rows_ = rows_.subspan(1);
      row_ = base_ + (offsets_ == nullptr ? row * width_ : offsets_[row] * grain_);
      offset_ = 0;
    }
    // Into L2: it stays there for a while, and L1 is in use.
    __builtin_prefetch(row_ + offset_, 0, 2);
    offset_ += kLine;
  }

 private:
  static constexpr size_t kLine = 64;

  const uint8_t* base_ = nullptr;
  size_t width_ = 0;
  const uint32_t* offsets_ = nullptr;
  size_t grain_ = 0;
  std::span<const uint32_t> rows_;
  const uint8_t* row_ = nullptr;
  size_t offset_ = static_cast<size_t>(-1);  // of the next line in row_
};

}  // namespace mlp::kernels
