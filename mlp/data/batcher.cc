#include "mlp/data/batcher.h"

#include <algorithm>

#include "mlp/base/check.h"
#include "mlp/base/rng.h"

namespace mlp::data {

Batcher::Batcher(std::span<const uint32_t> rows, size_t batch_size, LastBatch last_batch,
                 uint64_t seed, bool shuffle)
    : rows_(rows.begin(), rows.end()),
      batch_size_(batch_size),
      last_batch_(last_batch),
      seed_(seed),
      shuffle_(shuffle),
      order_(rows_) {
  MLP_CHECK_GT(batch_size, size_t{0});
}

void Batcher::StartEpoch(uint32_t epoch) {
  if (shuffle_) {
    std::copy(rows_.begin(), rows_.end(), order_.begin());
    Stream stream(seed_, Purpose::kShuffle, epoch);
    Shuffle(stream, order_);
  }
  left_ = order_;
}

std::span<const uint32_t> Batcher::Peek(size_t count) const {
  size_t n = std::min(count * batch_size_, left_.size());
  if (last_batch_ == LastBatch::kDrop) n -= n % batch_size_;
  return left_.first(n);
}

std::span<const uint32_t> Batcher::Next(size_t count) {
  const std::span<const uint32_t> batch = Peek(count);
  left_ = left_.subspan(batch.size());
  return batch;
}

size_t Batcher::steps_per_epoch() const {
  const size_t full = rows_.size() / batch_size_;
  const bool rest = rows_.size() % batch_size_ != 0;
  return full + (rest && last_batch_ == LastBatch::kKeep ? 1 : 0);
}

}  // namespace mlp::data
