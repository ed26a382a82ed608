#include "mlp/io/atomic_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "mlp/io/file_descriptor.h"
#include "mlp/io/temporary_file.h"

namespace mlp::io {
namespace {

// 0, or the errno.
int RenameInto(const std::string& from, const std::string& to, IfExists if_exists) {
  if (if_exists == IfExists::kReplace) return rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that cannot rename without replacing: a second name, then drop the first.
  if (link(from.c_str(), to.c_str()) != 0) return errno;
  return unlink(from.c_str()) == 0 ? 0 : errno;
}

absl::string_view RemedyOf(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return "check the path";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a place that this user may use";
    case EEXIST:
      return "choose another name";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "make room there, or choose another place";
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
      return "try again when less is running";
    default:
      return "try again, or choose another path";
  }
}

absl::string_view KindOf(mode_t mode) { return S_ISDIR(mode) ? "a directory" : "no regular file"; }

}  // namespace

absl::Status ErrnoError(absl::string_view verb, absl::string_view path, int error_number) {
  return absl::Status(absl::ErrnoToStatusCode(error_number),
                      absl::StrCat(path, ": cannot ", verb, ": ", std::strerror(error_number), "; ",
                                   RemedyOf(error_number)));
}

absl::Status WriteFileAtomically(const std::string& name, absl::string_view contents,
                                 IfExists if_exists) {
  const std::string path = BehindLinks(name);
  struct stat found;
  const bool exists = stat(path.c_str(), &found) == 0;
  if (exists && !S_ISREG(found.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": file: expected a regular file or none, found ", KindOf(found.st_mode),
                     "; choose another name"));
  }
  // A limit on the size of files is an error of write, not the end of the process.
  signal(SIGXFSZ, SIG_IGN);
  TemporaryFile temporary(path);
  FileDescriptor& fd = temporary.fd();
  if (!fd.ok()) return ErrnoError("create a temporary file beside it", path, errno);
  // mkostemp makes it private; the result has the mode of the file it replaces, or the usual one.
  mode_t mode = found.st_mode & 07777;
  if (!exists) {
    const mode_t mask = umask(0);
    umask(mask);
    mode = 0666 & ~mask;
  }
  if (fchmod(fd.get(), mode) != 0) return ErrnoError("set the mode", path, errno);
  if (const int error = WriteAll(fd.get(), contents)) return ErrnoError("write", path, error);
  if (fsync(fd.get()) != 0) return ErrnoError("sync", path, errno);
  if (const int error = fd.Close()) return ErrnoError("close", path, error);
  if (const int error = RenameInto(temporary.path(), path, if_exists)) {
    return ErrnoError("rename the temporary file to it", path, error);
  }
  temporary.Keep();
  const std::string directory = DirectoryOf(path);
  FileDescriptor directory_fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: a file system that cannot sync directories; the rename itself is done.
  if (!directory_fd.ok() || (fsync(directory_fd.get()) != 0 && errno != EINVAL)) {
    return ErrnoError("sync the directory", directory, errno);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok()) return ErrnoError("open", path, errno);
  struct stat found;
  if (fstat(fd.get(), &found) != 0) return ErrnoError("stat", path, errno);
  if (!S_ISREG(found.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": file: expected a regular file, found ",
                                                   KindOf(found.st_mode), "; name a file"));
  }
  const size_t size = static_cast<size_t>(found.st_size);
  if (size > max_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(path, ": file: expected at most ", max_bytes,
                                                     " bytes, found ", size,
                                                     "; name a smaller file"));
  }
  std::string contents(size, '\0');
  size_t used = 0;
  while (used < size) {
    const ssize_t n = read(fd.get(), contents.data() + used, size - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("read", path, errno);
    if (n == 0) break;  // It shrank meanwhile: what is there is the file.
    used += static_cast<size_t>(n);
  }
  contents.resize(used);
  return contents;
}

absl::Status CreateDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return ErrnoError("create the directory", path, error.value());
  return absl::OkStatus();
}

}  // namespace mlp::io
