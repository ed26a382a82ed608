// The bytes of a row that are not 0, in order of their columns: what a product needs of a row that
// is mostly 0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlp::kernels {

struct ByteList {
  const uint32_t* entries = nullptr;  // column * 256 + byte; columns are below 2^20
  size_t count = 0;
};

// Who makes lists may write so many entries beyond those that they count.
inline constexpr size_t kListSlack = 64;

}  // namespace mlp::kernels
