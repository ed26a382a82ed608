// For tests of what reads packed pixels.
#pragma once

#include <algorithm>
#include <utility>

#include "mlp/data/dataset.h"

namespace mlp::data {

// The same examples with their pixels packed.
inline Examples Packed(const Examples& examples) {
  Examples packed;
  packed.size = examples.size;
  packed.features = examples.features;
  packed.labels = AlignedBuffer<uint8_t>(examples.labels.size());
  std::ranges::copy(examples.labels, packed.labels.begin());
  PixelPacker packer(examples.features);
  packer.Append(examples.pixels.span());
  packed.packed = std::move(packer).Finish();
  return packed;
}

}  // namespace mlp::data
