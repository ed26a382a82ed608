// The bytes of a row that are not 0, in order of their columns: what a product needs of a row that
// is mostly 0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlp::kernels {

struct ByteList {
  const uint32_t* entries = nullptr;  // column * 256 + byte
  size_t count = 0;
};

// Columns have 24 bits.
inline constexpr size_t kMaxListIndex = (size_t{1} << 24) - 1;
// Who makes lists may write so many entries beyond those that they count.
inline constexpr size_t kListSlack = 64;

}  // namespace mlp::kernels
