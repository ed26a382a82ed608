// IDX, the file format of MNIST: two zero bytes, the element type, the number of dimensions, each
// dimension as a big-endian 32-bit number, then the elements. Plain or gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/data/dataset.h"

namespace mlp::data {

// Unsigned bytes, row-major.
struct IdxArray {
  std::vector<uint32_t> dimensions;
  AlignedBuffer<uint8_t> data;  // [the product of dimensions]
};

// Reads a file of unsigned bytes with that many dimensions, none of them 0. gzip is told by its
// first bytes, not by the name. Memory follows what the file really holds, not what its header
// says. Errors name the file, the byte and what is wrong: NotFound, PermissionDenied,
// FailedPrecondition (not a regular file), DataLoss (truncated, trailing bytes, corrupt gzip),
// InvalidArgument (not such an array), ResourceExhausted.
absl::StatusOr<IdxArray> ReadIdx(absl::string_view path, size_t dimension_count);

// Pictures with their labels.
struct LabelledImages {
  Examples examples;
  size_t rows = 0;
  size_t cols = 0;
};

// An images file [size, rows, cols] and a labels file [size]. Pixels are packed as they are read,
// and stay so where less than this part of them, `pack_below`, is not 0. Errors: those of ReadIdx;
// InvalidArgument where the counts disagree or a label is not below `classes`.
absl::StatusOr<LabelledImages> ReadExamples(absl::string_view images_path,
                                            absl::string_view labels_path, size_t classes = 10,
                                            double pack_below = 0);

// Writes the array, as gzip where the path ends in .gz. The file appears whole or not at all: it is
// written beside its place, synced and renamed. data has as many bytes as the product of
// dimensions, of which there are 1 to 255.
absl::Status WriteIdx(absl::string_view path, std::span<const uint32_t> dimensions,
                      std::span<const uint8_t> data);

}  // namespace mlp::data
