#include "mlp/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "mlp/base/check.h"
#include "mlp/base/counted.h"
#include "mlp/base/status_macros.h"
#include "mlp/data/byte_source.h"
#include "mlp/data/file_error.h"
#include "mlp/data/packed_pixels.h"
#include "mlp/io/atomic_file.h"

namespace mlp::data {
namespace {

constexpr uint8_t kUnsignedByte = 0x08;
constexpr size_t kMagicBytes = 4;
constexpr absl::string_view kFetchAgain = "copy or download the file again";
constexpr absl::string_view kNameIdx = "name an IDX file of unsigned bytes, as MNIST has them";

absl::Status Invalid(absl::string_view file, absl::string_view place, absl::string_view expected,
                     absl::string_view found, absl::string_view remedy) {
  return FileError(absl::StatusCode::kInvalidArgument, file, place, expected, found, remedy);
}

absl::Status OutOfMemory(absl::string_view path, size_t n) {
  return FileError(absl::StatusCode::kResourceExhausted, path, "data",
                   absl::StrCat("memory for ", Counted(n, "byte")), "less",
                   "free memory or use a smaller file");
}

absl::StatusOr<AlignedBuffer<uint8_t>> Allocate(absl::string_view path, size_t n) {
  try {
    return AlignedBuffer<uint8_t>(n);
  } catch (const std::bad_alloc&) {
    return OutOfMemory(path, n);
  }
}

// What lies from byte `offset` on, a part of what goes up to byte `end`.
absl::Status ReadExactly(ByteSource& source, std::span<uint8_t> to, size_t offset, size_t end,
                         absl::string_view what) {
  MLP_ASSIGN_OR_RETURN(const size_t n, source.Read(to));
  if (n == to.size()) return absl::OkStatus();
  return FileError(absl::StatusCode::kDataLoss, source.path(), absl::StrCat("byte ", offset + n),
                   absl::StrCat(what, " up to byte ", end), "the end of the data", kFetchAgain);
}

absl::Status CheckMagic(const std::string& path, std::span<const uint8_t, kMagicBytes> magic,
                        size_t dimension_count) {
  if (magic[0] != 0 || magic[1] != 0) {
    return Invalid(path, "byte 0", "two zero bytes, which begin an IDX file",
                   absl::StrFormat("0x%02x 0x%02x", magic[0], magic[1]), kNameIdx);
  }
  if (magic[2] != kUnsignedByte) {
    return Invalid(path, "byte 2", "element type 0x08 (unsigned byte)",
                   absl::StrFormat("0x%02x", magic[2]), kNameIdx);
  }
  if (magic[3] != dimension_count) {
    return Invalid(path, "byte 3", Counted(dimension_count, "dimension"), absl::StrCat(magic[3]),
                   dimension_count == 3   ? "name a file of images"
                   : dimension_count == 1 ? "name a file of labels"
                                          : "name a file of that shape");
  }
  return absl::OkStatus();
}

// The number of elements.
absl::StatusOr<size_t> CheckedProduct(const std::string& path,
                                      std::span<const uint32_t> dimensions) {
  constexpr uint64_t kMost = uint64_t{1} << 46;  // beyond any memory, far from overflow
  uint64_t product = 1;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const std::string place = absl::StrCat("byte ", kMagicBytes + 4 * i);
    if (dimensions[i] == 0) {
      return Invalid(path, place, "a dimension above 0", "0", "name a file that holds samples");
    }
    if (product > kMost / dimensions[i]) {
      return Invalid(path, place, "a size that fits into memory",
                     absl::StrCat("dimensions ", absl::StrJoin(dimensions, " x ")), kFetchAgain);
    }
    product *= dimensions[i];
  }
  return product;
}

// Reads on. In a damaged gzip stream a code may stand for more bytes than were packed: what is
// wrong then comes to light at its end.
absl::Status CheckRest(ByteSource& source) {
  std::vector<uint8_t> ignored(size_t{1} << 16);
  size_t n = 0;
  do {
    MLP_ASSIGN_OR_RETURN(n, source.Read(ignored));
  } while (n == ignored.size());
  return absl::OkStatus();
}

absl::Status TrailingBytes(const std::string& path, size_t end) {
  return FileError(absl::StatusCode::kDataLoss, path, absl::StrCat("byte ", end),
                   "the end of the data", "trailing bytes", kFetchAgain);
}

absl::Status CheckLabels(absl::string_view path, std::span<const uint8_t> labels, size_t classes) {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= classes) {
      return Invalid(path, absl::StrCat("label ", i), absl::StrCat("a label below ", classes),
                     absl::StrCat(labels[i]), "check that these are the labels meant");
    }
  }
  return absl::OkStatus();
}

// One gzip member.
std::string Gzip(const std::string& bytes) {
  constexpr int kGzipWindow = 15 + 16;
  z_stream stream = {};
  MLP_CHECK_EQ(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow,
                            /*memLevel=*/8, Z_DEFAULT_STRATEGY),
               Z_OK);
  std::string compressed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  // zlib counts in 32 bits.
  constexpr size_t kMost = size_t{1} << 30;
  size_t left = bytes.size();
  int result = Z_OK;
  while (result == Z_OK) {
    stream.avail_in = static_cast<uInt>(std::min(left, kMost));
    left -= stream.avail_in;
    stream.avail_out = static_cast<uInt>(std::min(compressed.size() - stream.total_out, kMost));
    result = deflate(&stream, left == 0 ? Z_FINISH : Z_NO_FLUSH);
    left += stream.avail_in;
  }
  MLP_CHECK_EQ(result, Z_STREAM_END);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

// An IDX file up to its data.
struct OpenIdx {
  ByteSource source;
  std::vector<uint32_t> dimensions;
  size_t begin;  // of the data, in bytes of the content
  size_t size;   // of the data
};

absl::StatusOr<OpenIdx> Open(absl::string_view path, size_t dimension_count) {
  MLP_CHECK(dimension_count >= 1 && dimension_count <= 255);
  MLP_ASSIGN_OR_RETURN(ByteSource source, ByteSource::Open(path));

  std::array<uint8_t, kMagicBytes> magic;
  MLP_RETURN_IF_ERROR(ReadExactly(source, magic, 0, magic.size(), "a header"));
  MLP_RETURN_IF_ERROR(CheckMagic(source.path(), magic, dimension_count));
  std::vector<uint8_t> header(4 * dimension_count);
  const size_t begin = kMagicBytes + header.size();
  MLP_RETURN_IF_ERROR(ReadExactly(source, header, kMagicBytes, begin, "a header"));
  std::vector<uint32_t> dimensions;
  for (size_t i = 0; i < dimension_count; ++i) {
    const uint8_t* b = header.data() + 4 * i;
    dimensions.push_back(uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 |
                         uint32_t{b[3]});
  }
  MLP_ASSIGN_OR_RETURN(const size_t size, CheckedProduct(source.path(), dimensions));

  if (const std::optional<uint64_t> file_bytes = source.size(); file_bytes.has_value()) {
    if (*file_bytes > begin + size) return TrailingBytes(source.path(), begin + size);
    if (*file_bytes < begin + size) {
      return FileError(absl::StatusCode::kDataLoss, source.path(), absl::StrCat("byte ", begin),
                       absl::StrCat(Counted(size, "byte"), " of data, as the header says"),
                       Counted(*file_bytes - begin, "byte"), kFetchAgain);
    }
  }
  return OpenIdx{std::move(source), std::move(dimensions), begin, size};
}

absl::Status CheckEnd(OpenIdx& idx) {
  uint8_t beyond;
  MLP_ASSIGN_OR_RETURN(const size_t trailing, idx.source.Read({&beyond, 1}));
  if (trailing == 0) return absl::OkStatus();
  MLP_RETURN_IF_ERROR(CheckRest(idx.source));
  return TrailingBytes(idx.source.path(), idx.begin + idx.size);
}

// The next part of the data, from byte `done` of it.
absl::Status ReadData(OpenIdx& idx, size_t done, std::span<uint8_t> to) {
  return ReadExactly(idx.source, to, idx.begin + done, idx.begin + idx.size, "data");
}

// Where the length of the content is not known beforehand, the file's own length, then what arrives
// decide how much memory is taken. Pictures seldom compress to less than an eighth (MNIST: a
// fifth), so that nothing is copied and no more memory is taken than they need.
absl::StatusOr<AlignedBuffer<uint8_t>> ReadGrowing(OpenIdx& idx) {
  const size_t first = std::max(size_t{1} << 20, 8 * idx.source.file_bytes());
  AlignedBuffer<uint8_t> data;
  do {
    const size_t had = data.size();
    MLP_ASSIGN_OR_RETURN(AlignedBuffer<uint8_t> larger,
                         Allocate(idx.source.path(), std::min(idx.size, std::max(first, 2 * had))));
    std::copy(data.begin(), data.end(), larger.begin());
    data = std::move(larger);
    MLP_RETURN_IF_ERROR(ReadData(idx, had, data.span().subspan(had)));
  } while (data.size() < idx.size);
  return data;
}

absl::StatusOr<AlignedBuffer<uint8_t>> ReadBytes(OpenIdx& idx) {
  AlignedBuffer<uint8_t> data;
  if (idx.source.size().has_value()) {
    MLP_ASSIGN_OR_RETURN(data, Allocate(idx.source.path(), idx.size));
    MLP_RETURN_IF_ERROR(ReadData(idx, 0, data.span()));
  } else {
    MLP_ASSIGN_OR_RETURN(data, ReadGrowing(idx));
  }
  MLP_RETURN_IF_ERROR(CheckEnd(idx));
  return data;
}

// Rows of pixels are packed so many bytes at a time.
constexpr size_t kPackedBlock = size_t{1} << 16;

// The rows, of at most kPackedBlock features each. Exhausted memory throws std::bad_alloc.
absl::StatusOr<PixelPacker> ReadPacked(OpenIdx& idx, size_t features) {
  PixelPacker packer(features);
  std::vector<uint8_t> block(kPackedBlock / features * features);
  for (size_t done = 0; done < idx.size;) {
    const std::span<uint8_t> rows = std::span(block).first(std::min(block.size(), idx.size - done));
    MLP_RETURN_IF_ERROR(ReadData(idx, done, rows));
    packer.Append(rows);
    done += rows.size();
  }
  MLP_RETURN_IF_ERROR(CheckEnd(idx));
  return packer;
}

}  // namespace

absl::StatusOr<IdxArray> ReadIdx(absl::string_view path, size_t dimension_count) {
  MLP_ASSIGN_OR_RETURN(OpenIdx idx, Open(path, dimension_count));
  MLP_ASSIGN_OR_RETURN(AlignedBuffer<uint8_t> data, ReadBytes(idx));
  return IdxArray{std::move(idx.dimensions), std::move(data)};
}

absl::StatusOr<LabelledImages> ReadExamples(absl::string_view images_path,
                                            absl::string_view labels_path, size_t classes,
                                            double pack_below) {
  MLP_ASSIGN_OR_RETURN(OpenIdx images, Open(images_path, 3));
  const size_t size = images.dimensions[0];
  const size_t rows = images.dimensions[1];
  const size_t cols = images.dimensions[2];
  Examples examples{.pixels = {}, .labels = {}, .size = size, .features = rows * cols};
  if (pack_below > 0 && examples.features <= kPackedBlock) {
    try {
      MLP_ASSIGN_OR_RETURN(PixelPacker packer, ReadPacked(images, examples.features));
      SetPixels(examples, std::move(packer), pack_below);
    } catch (const std::bad_alloc&) {
      return OutOfMemory(images_path, images.size);
    }
  } else {
    MLP_ASSIGN_OR_RETURN(examples.pixels, ReadBytes(images));
  }
  MLP_ASSIGN_OR_RETURN(IdxArray labels, ReadIdx(labels_path, 1));
  if (labels.dimensions[0] != size) {
    return Invalid(labels_path, "byte 4",
                   absl::StrCat(size, " labels, one for each image of ", images_path),
                   absl::StrCat(labels.dimensions[0]), "name two files that belong together");
  }
  MLP_RETURN_IF_ERROR(CheckLabels(labels_path, labels.data.span(), classes));
  examples.labels = std::move(labels.data);
  return LabelledImages{.examples = std::move(examples), .rows = rows, .cols = cols};
}

absl::Status WriteIdx(absl::string_view path, std::span<const uint32_t> dimensions,
                      std::span<const uint8_t> data) {
  MLP_CHECK(!dimensions.empty() && dimensions.size() <= 255);
  std::string contents = {0, 0, kUnsignedByte, static_cast<char>(dimensions.size())};
  size_t product = 1;
  for (const uint32_t d : dimensions) {
    product *= d;
    for (int shift = 24; shift >= 0; shift -= 8) contents.push_back(static_cast<char>(d >> shift));
  }
  MLP_CHECK_EQ(product, data.size());
  contents.append(reinterpret_cast<const char*>(data.data()), data.size());
  if (absl::EndsWith(path, ".gz")) contents = Gzip(contents);
  return io::WriteFileAtomically(std::string(path), contents);
}

}  // namespace mlp::data
