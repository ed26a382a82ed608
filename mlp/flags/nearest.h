// "Did you mean ...?": the known name that is nearest to one a user typed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mlp::flags {

// Insertions, deletions, replacements and swaps of neighbours that turn a into b (the restricted
// Damerau-Levenshtein distance).
size_t EditDistance(absl::string_view a, absl::string_view b);

// The nearest of `names`: the shortest that begins with two or more letters that were typed, else
// by distance, the first one among equals; "" if all are further away than half of the typed name,
// which is no likely slip.
std::string Nearest(absl::string_view typed, const std::vector<std::string>& names);

}  // namespace mlp::flags
