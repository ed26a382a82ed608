// Which rows to train on and which to validate with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace mlp::data {

// Row numbers, ascending; each row is in exactly one of the two.
struct RowSplit {
  std::vector<uint32_t> train_rows;
  std::vector<uint32_t> validation_rows;
};

// Takes round(n * fraction) of the rows 0 .. n-1 at random for validation; the seed decides which.
// 0 takes none. InvalidArgument where fraction is not in [0, 1), or it is above 0 and one of the
// two would get no row. n is below 2^32.
absl::StatusOr<RowSplit> SplitRows(size_t n, double fraction, uint64_t seed);

}  // namespace mlp::data
