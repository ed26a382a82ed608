#include "mlp/data/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/data/file_error.h"

namespace mlp::data {
namespace {

absl::Status SystemError(absl::string_view path, absl::string_view doing, int error) {
  const absl::StatusCode code = error == ENOENT   ? absl::StatusCode::kNotFound
                                : error == EACCES ? absl::StatusCode::kPermissionDenied
                                : error == ENOSPC ? absl::StatusCode::kResourceExhausted
                                                  : absl::StatusCode::kUnavailable;
  return FileError(code, path, doing, "success", std::strerror(error),
                   "check the folder, its permissions and the free space");
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::StatusOr<AtomicFile> AtomicFile::Create(absl::string_view path, Compression compression) {
  // Left over by a killed process with the same id, a name may be taken.
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::string temporary = absl::StrCat(path, ".", getpid(), ".", attempt, ".tmp");
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return AtomicFile(std::string(path), std::move(temporary), fd, compression);
    if (errno != EEXIST) break;
  }
  return SystemError(path, "create", errno);
}

AtomicFile::AtomicFile(std::string path, std::string temporary, int fd, Compression compression)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {
  if (compression == kPlain) return;
  deflater_ = std::make_unique<z_stream>();
  constexpr int kGzipFormat = 16 + MAX_WBITS;
  constexpr int kMemoryLevel = 8;
  MLP_CHECK_EQ(deflateInit2(deflater_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipFormat,
                            kMemoryLevel, Z_DEFAULT_STRATEGY),
               Z_OK);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::exchange(other.fd_, -1)),
      deflater_(std::move(other.deflater_)) {}

AtomicFile::~AtomicFile() {
  if (deflater_ != nullptr) deflateEnd(deflater_.get());
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

absl::Status AtomicFile::Error(absl::string_view doing) const {
  return SystemError(path_, doing, errno);
}

absl::Status AtomicFile::Write(std::span<const uint8_t> bytes) {
  return deflater_ == nullptr ? WriteRaw(bytes) : Deflate(bytes, Z_NO_FLUSH);
}

absl::Status AtomicFile::WriteRaw(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error("write");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::Status AtomicFile::Deflate(std::span<const uint8_t> bytes, int flush) {
  std::array<uint8_t, 1 << 16> packed;
  int code = Z_OK;
  do {
    constexpr size_t kMost = size_t{1} << 30;  // zlib counts in 32 bits
    const std::span<const uint8_t> piece = bytes.first(std::min(bytes.size(), kMost));
    bytes = bytes.subspan(piece.size());
    deflater_->next_in = const_cast<Bytef*>(piece.data());
    deflater_->avail_in = static_cast<uInt>(piece.size());
    do {
      deflater_->next_out = packed.data();
      deflater_->avail_out = static_cast<uInt>(packed.size());
      code = deflate(deflater_.get(), flush);
      MLP_CHECK_NE(code, Z_STREAM_ERROR);
      MLP_RETURN_IF_ERROR(
          WriteRaw(std::span<const uint8_t>(packed).first(packed.size() - deflater_->avail_out)));
    } while (deflater_->avail_out == 0);
  } while (!bytes.empty());
  if (flush == Z_FINISH) MLP_CHECK_EQ(code, Z_STREAM_END);
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit() && {
  if (deflater_ != nullptr) MLP_RETURN_IF_ERROR(Deflate({}, Z_FINISH));
  if (fsync(fd_) != 0) return Error("sync");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return Error("rename");
  close(std::exchange(fd_, -1));
  // So that the new name outlives a power cut; file systems that cannot sync a folder need not.
  if (const int folder = open(FolderOf(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      folder >= 0) {
    fsync(folder);
    close(folder);
  }
  return absl::OkStatus();
}

}  // namespace mlp::data
