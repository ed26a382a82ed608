#include "mlp/io/replace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mlp/io/atomic_file.h"
#include "mlp/io/file_descriptor.h"
#include "mlp/io/temporary_file.h"

namespace mlp::io {
namespace {

absl::Status Wrong(absl::StatusCode code, absl::string_view path, absl::string_view expected,
                   absl::string_view found, absl::string_view remedy) {
  return absl::Status(
      code, absl::StrCat(path, ": file: expected ", expected, ", found ", found, "; ", remedy));
}

absl::Status CheckDirectory(const std::string& path) {
  const std::string target = BehindLinks(path);
  const std::string directory = DirectoryOf(target);
  struct stat found;
  if (stat(directory.c_str(), &found) != 0) {
    return Wrong(absl::StatusCode::kNotFound, path, absl::StrCat("a directory ", directory), "none",
                 "create it, or choose another name");
  }
  if (!S_ISDIR(found.st_mode)) {
    return Wrong(absl::StatusCode::kFailedPrecondition, path,
                 absl::StrCat("a directory ", directory), "a file", "choose another name");
  }
  // Permissions do not tell of file systems that are read-only, full or no place for files: only
  // the attempt does.
  TemporaryFile attempt(target);
  if (!attempt.fd().ok()) return ErrnoError("create a file in its directory", path, errno);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckReplaceable(const std::string& path, const FileKind& kind,
                              std::optional<bool> force) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return ErrnoError("look at it", path, errno);
    return CheckDirectory(path);
  }
  if (!S_ISREG(found.st_mode)) {
    return Wrong(absl::StatusCode::kFailedPrecondition, path, absl::StrCat("a ", kind.name),
                 S_ISDIR(found.st_mode) ? "a directory" : "no regular file", "choose another name");
  }
  if (absl::Status status = CheckDirectory(path); !status.ok() || force == true) {
    return status;
  }
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok()) return ErrnoError("open", path, errno);
  // Nothing is lost with an empty one, which who reserves a name makes.
  if (found.st_size == 0) return absl::OkStatus();
  std::string first(std::max(kind.prefix.size(), kind.other_prefix.size()), '\0');
  const ssize_t n = pread(fd.get(), first.data(), first.size(), 0);
  first.resize(static_cast<size_t>(std::max<ssize_t>(n, 0)));
  if (absl::StartsWith(first, kind.prefix) || absl::StartsWith(first, kind.other_prefix)) {
    return absl::OkStatus();
  }
  return Wrong(absl::StatusCode::kAlreadyExists, path, absl::StrCat("a ", kind.name, " or nothing"),
               "another kind of file",
               absl::StrCat("choose another name, or ",
                            force.has_value() ? "replace it with --force" : "remove it first"));
}

}  // namespace mlp::io
