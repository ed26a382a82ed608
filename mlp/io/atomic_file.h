// Whole files: read with a bound on their size, written so that a reader sees the old content or
// the new, never a part.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::io {

enum class IfExists { kReplace, kFail };

// Writes a temporary file beside `path`, syncs it, renames it to `path` and syncs the directory.
// On any error no temporary file is left and `path` is as it was; with IfExists::kFail an existing
// `path` is AlreadyExists. The directory has to exist.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents,
                                 IfExists if_exists = IfExists::kReplace);

// The bytes of a regular file. A file longer than `max_bytes` is ResourceExhausted, and nothing of
// it is read.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

// Creates the directory and its parents; one that is there already is fine.
absl::Status CreateDirectories(const std::string& path);

// "<path>: cannot <verb>: <text of error_number>; <remedy>" as the fitting status code.
absl::Status ErrnoError(absl::string_view verb, absl::string_view path, int error_number);

}  // namespace mlp::io
