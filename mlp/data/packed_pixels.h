// Rows of pixels of which most are 0, as those that are not: MNIST's 47 MB take 15.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mlp/base/aligned_buffer.h"

namespace mlp::data {

// A row is a record: a bit for each column that says whether its pixel is not 0, in words of 64,
// the first column's the lowest bit of the first word; then the bytes of those that are not.
// Records lie one after the other, each from a multiple of kGrain bytes on.
class PackedPixels {
 public:
  static constexpr size_t kGrain = sizeof(uint64_t);
  // What may be read beyond the last record.
  static constexpr size_t kSlack = 64;

  // None.
  PackedPixels() = default;

  size_t size() const { return offsets_.empty() ? 0 : offsets_.size() - 1; }
  size_t features() const { return features_; }
  bool empty() const { return size() == 0; }
  // The number of pixels that are not 0.
  size_t count() const { return count_; }
  // The columns that records have, ascending: those that are not 0 in every row.
  std::span<const uint32_t> columns() const { return columns_; }

  // Writes a row's pixels, [features].
  void Unpack(size_t row, uint8_t* to) const;

  // For kernels: row i's record begins at records() + offsets()[i] * kGrain, and ends where the
  // next one begins.
  const uint8_t* records() const { return records_.data(); }
  std::span<const uint32_t> offsets() const { return offsets_; }  // [size + 1]
  size_t words() const { return (columns_.size() + 63) / 64; }    // of bits in a record
  // Cache lines from its first one on that hold a record whole: nine of ten, at least.
  size_t lines() const { return lines_; }

 private:
  friend class PixelPacker;

  size_t features_ = 0;
  size_t count_ = 0;
  size_t lines_ = 0;
  std::vector<uint32_t> columns_;
  std::vector<uint32_t> offsets_;
  AlignedBuffer<uint8_t> records_;
};

// Packs rows as they come, so that never all of them need be there unpacked.
class PixelPacker {
 public:
  explicit PixelPacker(size_t features);

  // Adds whole rows, [*, features]. Exhausted memory throws std::bad_alloc.
  void Append(std::span<const uint8_t> rows);

  // All that were added; at least one. Where all pixels are 0, the first column counts as used.
  PackedPixels Finish() &&;

 private:
  // Records of all columns, as many as have room.
  struct Chunk {
    AlignedBuffer<uint8_t> records;
    size_t rows = 0;
    size_t bytes = 0;
  };

  const size_t features_;
  const size_t words_;
  std::vector<Chunk> chunks_;
  std::vector<uint64_t> used_;  // bits of the columns that are not 0 in every row
};

}  // namespace mlp::data
