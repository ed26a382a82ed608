#include "mlp/data/packed_pixels.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "mlp/base/check.h"

namespace mlp::data {
namespace {

constexpr size_t kWordBits = 64;
constexpr size_t kChunkBytes = size_t{1} << 20;

size_t Words(size_t columns) { return (columns + kWordBits - 1) / kWordBits; }

// Word w of a record's bits.
uint64_t Word(const uint8_t* record, size_t w) {
  uint64_t word;
  std::memcpy(&word, record + w * sizeof(word), sizeof(word));
  return word;
}

size_t Count(const uint8_t* record, size_t words) {
  size_t count = 0;
  for (size_t w = 0; w < words; ++w) count += static_cast<size_t>(std::popcount(Word(record, w)));
  return count;
}

// visit(column) for each bit of a record.
template <class Visit>
void ForEachColumn(const uint8_t* record, size_t words, Visit visit) {
  for (size_t w = 0; w < words; ++w) {
    for (uint64_t word = Word(record, w); word != 0; word &= word - 1) {
      visit(w * kWordBits + static_cast<size_t>(std::countr_zero(word)));
    }
  }
}

}  // namespace

void PackedPixels::Unpack(size_t row, uint8_t* to) const {
  const uint8_t* const record = records_.data() + size_t{offsets_[row]} * kGrain;
  const uint8_t* from = record + words() * kGrain;
  std::memset(to, 0, features_);
  ForEachColumn(record, words(), [&](size_t j) { to[columns_[j]] = *from++; });
}

PixelPacker::PixelPacker(size_t features)
    : features_(features), words_(Words(features)), used_(words_) {
  MLP_CHECK_GT(features, 0u);
}

void PixelPacker::Append(std::span<const uint8_t> rows) {
  MLP_CHECK_EQ(rows.size() % features_, 0u);
  // At most: every pixel, and one that is written too much.
  const size_t most = words_ * sizeof(uint64_t) + features_ + 1;
  for (; !rows.empty(); rows = rows.subspan(features_)) {
    if (chunks_.empty() || chunks_.back().bytes + most > chunks_.back().records.size()) {
      chunks_.push_back({AlignedBuffer<uint8_t>(std::max(kChunkBytes, most))});
    }
    Chunk& chunk = chunks_.back();
    uint8_t* const begin = chunk.records.data() + chunk.bytes;
    uint8_t* to = begin + words_ * sizeof(uint64_t);
    for (size_t w = 0; w < words_; ++w) {
      const std::span<const uint8_t> pixels =
          rows.subspan(w * kWordBits, std::min(kWordBits, features_ - w * kWordBits));
      uint64_t bits = 0;
      for (size_t j = 0; j < pixels.size(); ++j) {
        const bool is_there = pixels[j] != 0;
        bits |= uint64_t{is_there} << j;
        *to = pixels[j];
        to += is_there;
      }
      std::memcpy(begin + w * sizeof(bits), &bits, sizeof(bits));
      used_[w] |= bits;
    }
    chunk.bytes += static_cast<size_t>(to - begin);
    ++chunk.rows;
  }
}

PackedPixels PixelPacker::Finish() && {
  MLP_CHECK(!chunks_.empty());
  PackedPixels packed;
  packed.features_ = features_;
  std::vector<uint32_t> index(features_);  // among the columns that are kept
  for (uint32_t j = 0; j < features_; ++j) {
    index[j] = static_cast<uint32_t>(packed.columns_.size());
    if (used_[j / kWordBits] >> j % kWordBits & 1) packed.columns_.push_back(j);
  }
  if (packed.columns_.empty()) packed.columns_.push_back(0);

  // Visits all records in turn, each with the number of its pixels.
  const auto for_each_record = [&](const auto& visit) {
    for (Chunk& chunk : chunks_) {
      const uint8_t* record = chunk.records.data();
      for (size_t i = 0; i < chunk.rows; ++i) {
        const size_t count = Count(record, words_);
        visit(record, count);
        record += words_ * sizeof(uint64_t) + count;
      }
    }
  };
  constexpr size_t kGrain = PackedPixels::kGrain;
  size_t end = 0;
  std::vector<uint32_t> lengths;
  packed.offsets_.push_back(0);
  for_each_record([&](const uint8_t*, size_t count) {
    packed.count_ += count;
    const size_t length = packed.words() + (count + kGrain - 1) / kGrain;
    end += length;
    MLP_CHECK_LE(end, std::numeric_limits<uint32_t>::max());
    lengths.push_back(static_cast<uint32_t>(length));
    packed.offsets_.push_back(static_cast<uint32_t>(end));
  });
  packed.offsets_.shrink_to_fit();
  const auto usual = lengths.begin() + static_cast<std::ptrdiff_t>((lengths.size() - 1) * 9 / 10);
  std::ranges::nth_element(lengths, usual);
  // A record begins at the end of a line, at worst.
  packed.lines_ = (*usual * kGrain + kCacheLineBytes - kGrain - 1) / kCacheLineBytes + 1;
  packed.records_ = AlignedBuffer<uint8_t>(end * kGrain + PackedPixels::kSlack);
  std::vector<uint64_t> bits(packed.words());
  size_t row = 0;
  for_each_record([&](const uint8_t* record, size_t count) {
    std::ranges::fill(bits, 0);
    ForEachColumn(record, words_, [&](size_t j) {
      bits[index[j] / kWordBits] |= uint64_t{1} << index[j] % kWordBits;
    });
    uint8_t* const to = packed.records_.data() + size_t{packed.offsets_[row++]} * kGrain;
    std::memcpy(to, bits.data(), bits.size() * kGrain);
    std::memcpy(to + bits.size() * kGrain, record + words_ * sizeof(uint64_t), count);
  });
  return packed;
}

}  // namespace mlp::data
