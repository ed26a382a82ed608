#include "mlp/flags/nearest.h"

#include <algorithm>
#include <numeric>

namespace mlp::flags {

size_t EditDistance(absl::string_view a, absl::string_view b) {
  // Rows of the distance table for the prefixes of a that end two, one and no characters before i.
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string Nearest(absl::string_view typed, const std::vector<std::string>& names) {
  // A beginning, as --batch for --batch_size, is closer than it looks.
  std::string begun;
  for (const std::string& name : names) {
    const bool is_shorter = begun.empty() || name.size() < begun.size();
    if (typed.size() > 1 && name.starts_with(std::string(typed)) && is_shorter) begun = name;
  }
  if (!begun.empty()) return begun;
  std::string nearest;
  size_t least = typed.size() / 2 + 1;
  for (const std::string& name : names) {
    const size_t distance = EditDistance(typed, name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace mlp::flags
