#include "mlp/data/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/data/file_error.h"

namespace mlp::data {
namespace {

constexpr uint8_t kGzipMagic[] = {0x1f, 0x8b};
constexpr absl::string_view kFetchAgain = "copy or download the file again";

absl::Status OpenError(absl::string_view path, int error) {
  constexpr absl::string_view kExpected = "a file that can be read";
  if (error == ENOENT || error == ENOTDIR) {
    return FileError(absl::StatusCode::kNotFound, path, "file", kExpected, "nothing there",
                     "check the path");
  }
  return FileError(
      error == EACCES ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kUnavailable, path,
      "file", kExpected, std::strerror(error), "check the path and its permissions");
}

}  // namespace

absl::StatusOr<ByteSource> ByteSource::Open(absl::string_view path_view) {
  std::string path(path_view);
  // Not blocking: a named pipe that nobody writes to must not stop us here.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return OpenError(path, errno);
  ByteSource source(std::move(path), fd, 0);  // closes fd on every way out
  struct stat info;
  if (fstat(fd, &info) != 0) return OpenError(source.path_, errno);
  if (!S_ISREG(info.st_mode)) {
    return FileError(absl::StatusCode::kFailedPrecondition, source.path_, "file", "a regular file",
                     S_ISDIR(info.st_mode) ? "a directory" : "a device or pipe",
                     "name the file itself");
  }
  if (info.st_size == 0) {
    return FileError(absl::StatusCode::kDataLoss, source.path_, "byte 0", "a header",
                     "an empty file", kFetchAgain);
  }
  source.file_bytes_ = static_cast<uint64_t>(info.st_size);
  MLP_RETURN_IF_ERROR(source.FillBlock());
  if (source.unread_.size() >= 2 && source.unread_[0] == kGzipMagic[0] &&
      source.unread_[1] == kGzipMagic[1]) {
    source.inflater_ = std::make_unique<z_stream>();
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(source.inflater_.get(), kGzipOnly) != Z_OK) return source.OutOfMemory();
  }
  return source;
}

ByteSource::ByteSource(std::string path, int fd, uint64_t file_bytes)
    : path_(std::move(path)), fd_(fd), file_bytes_(file_bytes), block_(std::make_unique<Block>()) {}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      file_bytes_(other.file_bytes_),
      block_end_(other.block_end_),
      block_(std::move(other.block_)),
      unread_(other.unread_),
      inflater_(std::move(other.inflater_)),
      inside_member_(other.inside_member_) {}

ByteSource::~ByteSource() {
  if (inflater_ != nullptr) inflateEnd(inflater_.get());
  if (fd_ >= 0) close(fd_);
}

std::optional<uint64_t> ByteSource::size() const {
  if (inflater_ != nullptr) return std::nullopt;
  return file_bytes_;
}

absl::StatusOr<size_t> ByteSource::Read(std::span<uint8_t> to) {
  if (inflater_ != nullptr) return Inflate(to);
  size_t done = 0;
  while (done < to.size()) {
    if (unread_.empty()) MLP_RETURN_IF_ERROR(FillBlock());
    if (unread_.empty()) break;
    const size_t n = std::min(to.size() - done, unread_.size());
    std::memcpy(to.data() + done, unread_.data(), n);
    unread_ = unread_.subspan(n);
    done += n;
  }
  return done;
}

// Leaves unread_ empty at the end of the file alone.
absl::Status ByteSource::FillBlock() {
  ssize_t n;
  do {
    n = read(fd_, block_->data(), block_->size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    return FileError(absl::StatusCode::kDataLoss, path_, absl::StrCat("byte ", block_end_),
                     "readable data", std::strerror(errno), kFetchAgain);
  }
  unread_ = std::span<const uint8_t>(*block_).first(static_cast<size_t>(n));
  block_end_ += static_cast<uint64_t>(n);
  return absl::OkStatus();
}

absl::StatusOr<size_t> ByteSource::Inflate(std::span<uint8_t> to) {
  size_t done = 0;
  // A stream's end comes to light only when more is asked for than it holds.
  while (done < to.size()) {
    if (unread_.empty()) MLP_RETURN_IF_ERROR(FillBlock());
    if (!inside_member_) {
      if (unread_.empty()) return done;
      MLP_RETURN_IF_ERROR(NextMember());
    }
    if (unread_.empty()) return Corrupt("the rest of a gzip stream", "the end of the file");
    inflater_->next_in = const_cast<Bytef*>(unread_.data());
    inflater_->avail_in = static_cast<uInt>(unread_.size());
    inflater_->next_out = to.data() + done;
    constexpr size_t kMost = size_t{1} << 30;  // zlib counts in 32 bits
    const size_t wanted = std::min(to.size() - done, kMost);
    inflater_->avail_out = static_cast<uInt>(wanted);
    const int code = inflate(inflater_.get(), Z_NO_FLUSH);
    unread_ = unread_.last(inflater_->avail_in);
    done += wanted - inflater_->avail_out;
    if (code == Z_STREAM_END) {
      inside_member_ = false;
    } else if (code == Z_MEM_ERROR) {
      return OutOfMemory();
    } else if (code != Z_OK) {
      return Corrupt("a gzip stream",
                     inflater_->msg != nullptr ? inflater_->msg : "bytes that are none");
    }
  }
  return done;
}

// gzip allows one stream after the other (RFC 1952, section 2.2): their contents are joined.
absl::Status ByteSource::NextMember() {
  if (unread_[0] != kGzipMagic[0]) {
    return Corrupt("the end of the file or a further gzip stream", "other bytes");
  }
  MLP_CHECK_EQ(inflateReset(inflater_.get()), Z_OK);
  inside_member_ = true;
  return absl::OkStatus();
}

absl::Status ByteSource::OutOfMemory() const {
  return FileError(absl::StatusCode::kResourceExhausted, path_, "file", "memory to inflate it",
                   "none", "free memory");
}

absl::Status ByteSource::Corrupt(absl::string_view expected, absl::string_view found) const {
  return FileError(absl::StatusCode::kDataLoss, path_,
                   absl::StrCat("compressed byte ", block_end_ - unread_.size()), expected, found,
                   kFetchAgain);
}

}  // namespace mlp::data
