// Enumerators by their names, for flags and files. An enumeration has a Name(), found where it is.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace mlp {

// "a, b, c"
template <class Kinds>
std::string NamesOf(const Kinds& kinds) {
  return absl::StrJoin(
      kinds, ", ", [](std::string* out, const auto& kind) { absl::StrAppend(out, Name(kind)); });
}

// The same as a list, for flags::Choice.
template <class Kinds>
std::vector<std::string> Names(const Kinds& kinds) {
  std::vector<std::string> names;
  for (const auto kind : kinds) names.emplace_back(Name(kind));
  return names;
}

// InvalidArgument: the flag's value is no name. others: what else it may be, for the message.
inline absl::Status NoSuchName(absl::string_view flag, absl::string_view names,
                               absl::string_view found, absl::string_view others = "") {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": expected one of ", others,
                                                 others.empty() ? "" : ", ", names, ", found \"",
                                                 found, "\""));
}

// The one of `kinds` with that name.
template <class Kinds>
auto ParseName(absl::string_view flag, const Kinds& kinds, absl::string_view name,
               absl::string_view others = "") -> absl::StatusOr<typename Kinds::value_type> {
  for (const auto kind : kinds) {
    if (Name(kind) == name) return kind;
  }
  return NoSuchName(flag, NamesOf(kinds), name, others);
}

}  // namespace mlp
