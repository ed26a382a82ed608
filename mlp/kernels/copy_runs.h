// Columns of a row of bytes, picked in runs. Included by sources that are compiled for one
// instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "mlp/base/team.h"

namespace mlp::kernels {

// Runs are copied in pieces of so many bytes; whoever takes them has room for one more.
inline constexpr size_t kRunPiece = 32;

namespace {

// The bytes of the runs, one after the other. Whole pieces are copied where the row goes on so far;
// what is too much is overwritten by the next run, or lies beyond the last.
[[gnu::always_inline]] inline void CopyRuns(const uint8_t* row, size_t features,
                                            std::span<const Range> runs, uint8_t* to) {
  for (const Range& run : runs) {
    const uint8_t* from = row + run.begin;
    const size_t pieces = (run.size() + kRunPiece - 1) / kRunPiece;
    if (run.begin + pieces * kRunPiece <= features) {
      for (size_t k = 0; k < pieces; ++k) {
        std::memcpy(to + k * kRunPiece, from + k * kRunPiece, kRunPiece);
      }
    } else {
      std::memcpy(to, from, run.size());
    }
    to += run.size();
  }
}

}  // namespace
}  // namespace mlp::kernels
