// The head of a model file: sizes as bytes, all else as JSON.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mlp/model/model_file.h"
#include "mlp/model/spec.h"

namespace mlp::model {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

// Version 1 knew one loss: a text that ends in a width meant softmax, whatever the width.
inline constexpr uint32_t kFormatVersion = 2;
inline constexpr size_t kSizesBytes = 28;  // what lies before the JSON
inline constexpr size_t kChecksumBytes = 4;
// A header has some 500 bytes; the longest model's text has 30 kB.
inline constexpr size_t kMaxHeaderBytes = size_t{1} << 20;
inline constexpr size_t kMaxStateArrays = 8;

// The numbers in the first 28 bytes.
struct FileSizes {
  uint32_t version = kFormatVersion;
  uint32_t header_bytes = 0;
  uint64_t parameters = 0;
  uint32_t state_arrays = 0;
};

std::array<char, kSizesBytes> Encode(const FileSizes& sizes);
FileSizes Decode(const std::array<char, kSizesBytes>& bytes);

// The whole file's length. No overflow where all sizes keep to their bounds.
inline uint64_t FileBytes(const FileSizes& sizes) {
  return kSizesBytes + sizes.header_bytes +
         sizeof(float) * sizes.parameters * (1 + uint64_t{sizes.state_arrays}) + kChecksumBytes;
}

std::string HeaderText(const ModelSpec& spec, const ModelInfo& info);

// Fills *spec and all of *info but the optimizer's state, as a file of `version` means it. The
// error is "<what> in the header: expected ..., found ...".
absl::Status ParseHeader(absl::string_view text, uint32_t version, ModelSpec* spec,
                         ModelInfo* info);

}  // namespace mlp::model
