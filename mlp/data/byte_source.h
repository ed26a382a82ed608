// The bytes of a file, inflated on the way where the file is gzip (told by its first two bytes, not
// by its name).
#pragma once

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::data {

// Reads forward only. Holds one block of the file, never more.
class ByteSource {
 public:
  // Errors: NotFound, PermissionDenied, FailedPrecondition (not a regular file), DataLoss (empty).
  static absl::StatusOr<ByteSource> Open(absl::string_view path);

  ByteSource(ByteSource&& other) noexcept;
  ByteSource& operator=(ByteSource&&) = delete;
  ~ByteSource();

  // Fills `to` as far as the content goes and returns how much that was; less than to.size() only
  // at the end. A gzip stream's checksums are verified when its end is reached. Errors: DataLoss,
  // ResourceExhausted.
  absl::StatusOr<size_t> Read(std::span<uint8_t> to);

  const std::string& path() const { return path_; }
  // How long the file is, compressed or not.
  uint64_t file_bytes() const { return file_bytes_; }
  // How long the content is, where the file tells: not for gzip.
  std::optional<uint64_t> size() const;

 private:
  static constexpr size_t kBlockBytes = size_t{1} << 16;
  using Block = std::array<uint8_t, kBlockBytes>;

  ByteSource(std::string path, int fd, uint64_t file_bytes);
  absl::Status FillBlock();
  absl::StatusOr<size_t> Inflate(std::span<uint8_t> to);
  absl::Status NextMember();
  absl::Status OutOfMemory() const;
  absl::Status Corrupt(absl::string_view expected, absl::string_view found) const;

  std::string path_;
  int fd_;
  uint64_t file_bytes_;
  uint64_t block_end_ = 0;  // offset in the file of the end of block_
  std::unique_ptr<Block> block_;
  std::span<const uint8_t> unread_;     // of block_
  std::unique_ptr<z_stream> inflater_;  // null when the file is not gzip
  bool inside_member_ = true;
};

}  // namespace mlp::data
