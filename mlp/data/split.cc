#include "mlp/data/split.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"
#include "mlp/base/rng.h"

namespace mlp::data {

absl::StatusOr<RowSplit> SplitRows(size_t n, double fraction, uint64_t seed) {
  MLP_CHECK_LT(n, size_t{1} << 32);
  if (!(fraction >= 0 && fraction < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--validation: expected a fraction from 0 to below 1, found ", fraction,
                     "; 0.1 keeps a tenth of the samples for validation"));
  }
  std::vector<uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0);
  if (fraction == 0) return RowSplit{.train_rows = std::move(rows), .validation_rows = {}};

  const size_t validation = std::llround(static_cast<double>(n) * fraction);
  if (validation == 0 || validation >= n) {
    return absl::InvalidArgumentError(
        absl::StrCat("--validation: expected a fraction that leaves samples on both sides, found ",
                     fraction, " of ", n, ", which validates with ", validation,
                     "; choose another fraction or more samples"));
  }
  Stream stream(seed, Purpose::kSplit);
  Shuffle(stream, rows);
  const auto middle = rows.begin() + static_cast<ptrdiff_t>(validation);
  RowSplit split{.train_rows = {middle, rows.end()}, .validation_rows = {rows.begin(), middle}};
  // Ascending, so that passes over either part walk forward through memory.
  std::sort(split.train_rows.begin(), split.train_rows.end());
  std::sort(split.validation_rows.begin(), split.validation_rows.end());
  return split;
}

}  // namespace mlp::data
