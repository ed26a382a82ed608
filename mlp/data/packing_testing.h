// For tests of what reads packed pixels.
#pragma once

#include <algorithm>
#include <cstdint>

#include "mlp/base/aligned_buffer.h"
#include "mlp/data/dataset.h"

namespace mlp::data {

// The same examples with their pixels packed.
inline Examples Packed(const Examples& examples) {
  const auto copy = [](const AlignedBuffer<uint8_t>& bytes) {
    AlignedBuffer<uint8_t> copied(bytes.size());
    std::ranges::copy(bytes, copied.begin());
    return copied;
  };
  Examples packed = {.pixels = copy(examples.pixels),
                     .labels = copy(examples.labels),
                     .size = examples.size,
                     .features = examples.features};
  PackPixels(packed);
  return packed;
}

}  // namespace mlp::data
