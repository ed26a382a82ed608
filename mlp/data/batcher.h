// The order in which rows are trained on: shuffled anew each epoch, cut into batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mlp::data {

// What becomes of rows that do not fill a batch.
enum class LastBatch { kKeep, kDrop };

// An epoch's order depends on (seed, epoch) alone, so that any epoch can be repeated without those
// before it. Allocates in the constructor only.
class Batcher {
 public:
  // Serves `rows` in batches of batch_size > 0.
  Batcher(std::span<const uint32_t> rows, size_t batch_size, LastBatch last_batch, uint64_t seed,
          bool shuffle = true);

  // To be called before the first Next of each epoch.
  void StartEpoch(uint32_t epoch);

  // The rows of the next batch, or of the next `count` of them, one after the other; empty at the
  // epoch's end. Valid until StartEpoch.
  std::span<const uint32_t> Next(size_t count = 1);

  // What Next will return next.
  std::span<const uint32_t> Peek(size_t count = 1) const;

  size_t steps_per_epoch() const;

 private:
  const std::vector<uint32_t> rows_;
  const size_t batch_size_;
  const LastBatch last_batch_;
  const uint64_t seed_;
  const bool shuffle_;
  std::vector<uint32_t> order_;  // rows_ as this epoch takes them
  std::span<const uint32_t> left_;
};

}  // namespace mlp::data
