// Directories that the user's environment names.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace mlp::io {

// What a variable of the environment says; empty where it is not set.
std::string Variable(const char* name);

// Where files of a moment go: $TMPDIR, or /tmp where that is not set. NotFound: it is no directory.
absl::StatusOr<std::string> TemporaryDirectory();

// Where programs keep what can be made anew, as the XDG Base Directory Specification says:
// $XDG_CACHE_HOME if that is an absolute path, else $HOME/.cache. NotFound: there is no HOME
// either.
absl::StatusOr<std::string> CacheDirectory();

}  // namespace mlp::io
