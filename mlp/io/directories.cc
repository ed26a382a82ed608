#include "mlp/io/directories.h"

#include <cstdlib>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mlp::io {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::StatusOr<std::string> TemporaryDirectory() {
  std::string directory = Variable("TMPDIR");
  if (directory.empty()) directory = "/tmp";
  std::error_code ignored;
  if (std::filesystem::is_directory(directory, ignored)) return directory;
  return absl::NotFoundError(absl::StrCat("TMPDIR: expected a directory, found ", directory,
                                          "; set it to one that is there"));
}

absl::StatusOr<std::string> CacheDirectory() {
  std::string cache = Variable("XDG_CACHE_HOME");
  if (std::filesystem::path(cache).is_absolute()) return cache;
  const std::string home = Variable("HOME");
  if (!home.empty()) return absl::StrCat(home, "/.cache");
  return absl::NotFoundError(
      "HOME: expected a directory with the user's files, found none; set it, or XDG_CACHE_HOME to "
      "an absolute path");
}

}  // namespace mlp::io
