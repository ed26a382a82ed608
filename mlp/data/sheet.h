// A picture that shows many samples of a dataset at once, each with its label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/data/dataset.h"

namespace mlp::data {

struct GreyImage {
  size_t width = 0;
  size_t height = 0;
  std::vector<uint8_t> pixels;  // [height, width], 0 black
};

struct SheetOptions {
  size_t rows = 10;
  size_t cols = 20;
  size_t scale = 2;   // screen pixels for a sample's pixel
  uint64_t seed = 1;  // which samples are shown
};

// Row r shows random training samples of class r modulo the number of classes, dark on white, each
// with its label in small figures at its top left; cells stay white where a class has no sample.
// InvalidArgument where the sheet would have no pixels or more than 2^26.
absl::StatusOr<GreyImage> DrawSheet(const Dataset& dataset, const SheetOptions& options);

// Writes a PNG, whole or not at all.
absl::Status WritePng(absl::string_view path, const GreyImage& image);

}  // namespace mlp::data
