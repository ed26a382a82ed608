#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <new>
#include <span>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/atomic_file.h"
#include "mlp/io/file_descriptor.h"
#include "mlp/model/file_header.h"
#include "mlp/model/model_file.h"

namespace mlp::model {
namespace {

using absl::StatusCode;

constexpr absl::string_view kCopyAgain = "copy the file again, or train again";
constexpr absl::string_view kNameModel = "name a file that `mlp train --out` wrote";

// Reads from the beginning to the end and keeps the checksum.
class ModelReader {
 public:
  explicit ModelReader(const std::string& path) : path_(path) {}

  absl::StatusOr<SavedModel> Read() {
    MLP_RETURN_IF_ERROR(Open());
    MLP_ASSIGN_OR_RETURN(const FileSizes sizes, ReadSizes());

    std::string header(sizes.header_bytes, '\0');
    MLP_RETURN_IF_ERROR(ReadBytes(header.data(), header.size()));
    AlignedBuffer<float> parameters(sizes.parameters);
    MLP_RETURN_IF_ERROR(ReadFloats(parameters));
    ModelInfo info;
    for (uint32_t i = 0; i < sizes.state_arrays; ++i) {
      info.training.optimizer_states.emplace_back(sizes.parameters);
      MLP_RETURN_IF_ERROR(ReadFloats(info.training.optimizer_states.back()));
    }
    MLP_RETURN_IF_ERROR(CheckChecksum());

    ModelSpec spec;
    if (const absl::Status status = ParseHeader(header, sizes.version, &spec, &info);
        !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path_, ": byte ", kSizesBytes, ": ", status.message(), "; ", kNameModel));
    }
    if (spec.parameter_count() != sizes.parameters) {
      return Wrong(StatusCode::kInvalidArgument, 16,
                   absl::StrCat(spec.parameter_count(), " parameters for ", Format(spec)),
                   absl::StrCat(sizes.parameters), kNameModel);
    }
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (std::isfinite(parameters[i])) continue;
      return Wrong(StatusCode::kDataLoss, kSizesBytes + sizes.header_bytes + i * sizeof(float),
                   "a finite weight", absl::StrCat(parameters[i]),
                   "its training has diverged: train again with a smaller --learning_rate");
    }
    SavedModel saved = {Model(spec), std::move(info)};
    std::ranges::copy(parameters, saved.model.parameters().begin());
    return saved;
  }

 private:
  absl::Status Wrong(StatusCode code, uint64_t offset, absl::string_view expected,
                     absl::string_view found, absl::string_view remedy) const {
    return absl::Status(code, absl::StrCat(path_, ": byte ", offset, ": expected ", expected,
                                           ", found ", found, "; ", remedy));
  }

  absl::Status Open() {
    fd_ = io::FileDescriptor(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd_.ok() && errno == ENOENT) {
      return absl::NotFoundError(
          absl::StrCat(path_, ": file: expected a model file, found nothing there; ", kNameModel));
    }
    if (!fd_.ok()) return io::ErrnoError("open", path_, errno);
    struct stat found;
    if (fstat(fd_.get(), &found) != 0) return io::ErrnoError("look at it", path_, errno);
    if (!S_ISREG(found.st_mode)) {
      return absl::FailedPreconditionError(absl::StrCat(
          path_, ": file: expected a model file, found ",
          S_ISDIR(found.st_mode) ? "a directory" : "no regular file", "; ", kNameModel));
    }
    file_bytes_ = static_cast<uint64_t>(found.st_size);
    return absl::OkStatus();
  }

  // Agrees with the file's length when it returns OK.
  absl::StatusOr<FileSizes> ReadSizes() {
    if (file_bytes_ == 0) {
      return Wrong(StatusCode::kInvalidArgument, 0, "a model file", "an empty file", kNameModel);
    }
    std::array<char, kSizesBytes> bytes = {};
    const size_t there = std::min<uint64_t>(bytes.size(), file_bytes_);
    MLP_RETURN_IF_ERROR(ReadBytes(bytes.data(), there));
    const absl::string_view magic = kModelFile.prefix.substr(0, there);
    if (!absl::StartsWith(absl::string_view(bytes.data(), there), magic)) {
      return Wrong(StatusCode::kInvalidArgument, 0,
                   absl::StrCat("\"", kModelFile.prefix, "\", which begins a model file"),
                   "another kind of file", kNameModel);
    }
    if (there < bytes.size()) return Truncated(bytes.size());
    const FileSizes sizes = Decode(bytes);
    if (sizes.version == 0 || sizes.version > kFormatVersion) {
      return Wrong(StatusCode::kFailedPrecondition, 8,
                   absl::StrCat("a format version up to ", kFormatVersion),
                   absl::StrCat(sizes.version),
                   sizes.version > kFormatVersion ? "use the newer mlp that wrote it" : kCopyAgain);
    }
    if (sizes.header_bytes > kMaxHeaderBytes) {
      return Wrong(StatusCode::kDataLoss, 12,
                   absl::StrCat("a header of at most ", kMaxHeaderBytes, " bytes"),
                   absl::StrCat(sizes.header_bytes), kCopyAgain);
    }
    if (sizes.parameters > kMaxParameters) {
      return Wrong(StatusCode::kDataLoss, 16,
                   absl::StrCat("at most ", kMaxParameters, " parameters"),
                   absl::StrCat(sizes.parameters), kCopyAgain);
    }
    if (sizes.state_arrays > kMaxStateArrays) {
      return Wrong(StatusCode::kDataLoss, 24,
                   absl::StrCat("at most ", kMaxStateArrays, " arrays of optimizer state"),
                   absl::StrCat(sizes.state_arrays), kCopyAgain);
    }
    const uint64_t expected = FileBytes(sizes);
    if (file_bytes_ < expected) return Truncated(expected);
    if (file_bytes_ > expected) {
      return Wrong(StatusCode::kDataLoss, expected, "the end of the file",
                   absl::StrCat(file_bytes_ - expected, " bytes more"), kCopyAgain);
    }
    return sizes;
  }

  absl::Status Truncated(uint64_t expected) const {
    return Wrong(StatusCode::kDataLoss, file_bytes_, absl::StrCat("a file of ", expected, " bytes"),
                 "its end", kCopyAgain);
  }

  absl::Status ReadFloats(AlignedBuffer<float>& to) {
    return ReadBytes(reinterpret_cast<char*>(to.data()), to.size() * sizeof(float));
  }

  absl::Status ReadBytes(char* to, size_t n) {
    for (size_t done = 0; done < n;) {
      const ssize_t got = read(fd_.get(), to + done, n - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return io::ErrnoError("read", path_, errno);
      if (got == 0) {  // It became shorter meanwhile.
        return Wrong(StatusCode::kDataLoss, offset_ + done,
                     absl::StrCat("a file of ", file_bytes_, " bytes"), "its end", kCopyAgain);
      }
      done += static_cast<size_t>(got);
    }
    // Of no bytes at a null pointer crc32_z would give the checksum to begin with.
    if (n == 0) return absl::OkStatus();
    checksum_ = static_cast<uint32_t>(crc32_z(checksum_, reinterpret_cast<Bytef*>(to), n));
    offset_ += n;
    return absl::OkStatus();
  }

  absl::Status CheckChecksum() {
    const uint32_t expected = checksum_;
    const uint64_t offset = offset_;
    uint32_t found = 0;
    MLP_RETURN_IF_ERROR(ReadBytes(reinterpret_cast<char*>(&found), sizeof found));
    if (found == expected) return absl::OkStatus();
    return Wrong(StatusCode::kDataLoss, offset, absl::StrFormat("checksum 0x%08x", expected),
                 absl::StrFormat("0x%08x", found), kCopyAgain);
  }

  const std::string path_;
  io::FileDescriptor fd_;
  uint64_t file_bytes_ = 0;
  uint64_t offset_ = 0;
  uint32_t checksum_ = 0;
};

}  // namespace

absl::StatusOr<SavedModel> LoadModel(const std::string& path) {
  try {
    return ModelReader(path).Read();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": file: expected memory for what it holds, found less; free memory"));
  }
}

}  // namespace mlp::model
