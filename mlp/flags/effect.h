// What is said of a flag that has an effect with some values of another one only.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace mlp::flags {

// InvalidArgument: --name was given, but --on is `chosen`, none of `values`.
inline absl::Status NoEffect(absl::string_view name, absl::string_view on,
                             const std::vector<std::string>& values, absl::string_view chosen) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--", name, ": expected --", on, "=", absl::StrJoin(values, absl::StrCat(" or --", on, "=")),
      ", found --", on, "=", chosen, ", with which it has no effect; leave --", name,
      " out, or choose one of these"));
}

}  // namespace mlp::flags
