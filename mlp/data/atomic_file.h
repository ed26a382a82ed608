// A file that appears whole or not at all: written under a temporary name beside its place, synced,
// then renamed over what was there.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::data {

class AtomicFile {
 public:
  enum Compression { kPlain, kGzip };

  // Errors: the system's, e.g. NotFound for a folder that does not exist.
  static absl::StatusOr<AtomicFile> Create(absl::string_view path, Compression compression);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  // Removes what was written, unless it was committed.
  ~AtomicFile();

  absl::Status Write(std::span<const uint8_t> bytes);

  // The file is at its path when this returns OK. Nothing may be written afterwards.
  absl::Status Commit() &&;

 private:
  AtomicFile(std::string path, std::string temporary, int fd, Compression compression);
  absl::Status WriteRaw(std::span<const uint8_t> bytes);
  absl::Status Deflate(std::span<const uint8_t> bytes, int flush);
  absl::Status Error(absl::string_view doing) const;

  std::string path_;
  std::string temporary_;
  int fd_;
  std::unique_ptr<z_stream> deflater_;  // null for plain files
};

}  // namespace mlp::data
