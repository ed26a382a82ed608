// The one form of every complaint about a file.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace mlp::data {

// "<file>: <place>: expected <expected>, found <found>; <remedy>". place is a byte offset or a part
// of the file, e.g. "byte 4", "header", "file".
inline absl::Status FileError(absl::StatusCode code, absl::string_view file,
                              absl::string_view place, absl::string_view expected,
                              absl::string_view found, absl::string_view remedy) {
  return absl::Status(code, absl::StrCat(file, ": ", place, ": expected ", expected, ", found ",
                                         found, "; ", remedy));
}

}  // namespace mlp::data
