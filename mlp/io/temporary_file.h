// A file with a name of its own beside another, gone with its object unless it is kept. For io's
// own sources.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "mlp/io/file_descriptor.h"

namespace mlp::io {

// Where a path's file lies.
inline std::string DirectoryOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

// The file that a path leads to: renaming to a link would put a file in its place.
inline std::string BehindLinks(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  const std::filesystem::path target = std::filesystem::canonical(path, error);
  return error ? path : target.string();
}

class TemporaryFile {
 public:
  // Where fd() is not ok, errno says why.
  explicit TemporaryFile(const std::string& beside)
      : path_(beside + ".tmp.XXXXXX"), fd_(mkostemp(path_.data(), O_CLOEXEC)) {
    if (!fd_.ok()) path_.clear();
  }
  ~TemporaryFile() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  FileDescriptor& fd() { return fd_; }
  void Keep() { path_.clear(); }

 private:
  std::string path_;
  FileDescriptor fd_;
};

}  // namespace mlp::io
