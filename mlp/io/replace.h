// What a command may write over.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mlp::io {

// A kind of file, told by its first bytes: one of these, or of these two.
struct FileKind {
  absl::string_view name;    // "model file"
  absl::string_view prefix;  // Not empty.
  absl::string_view other_prefix = prefix;
};

// Whether `path` may be written: nothing is there and its directory is, or it is an empty file or
// one of the same kind, or `force` says that any regular file may go (nothing: there is no flag to
// say so). To be asked before long work, too. Errors: NotFound, AlreadyExists (another kind of
// file), FailedPrecondition (no regular file), PermissionDenied.
absl::Status CheckReplaceable(const std::string& path, const FileKind& kind,
                              std::optional<bool> force);

}  // namespace mlp::io
