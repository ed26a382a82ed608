// Whole arrays of floats from bytes, for callers that want them; training converts batch by batch.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "mlp/tensor/matrix.h"

namespace mlp::data {

// out[i, j] = pixels[i, j] / 255, in [0, 1]. pixels: [out.rows(), out.cols()].
void Normalize(std::span<const uint8_t> pixels, Matrix out);

// out[i, labels[i]] = 1, all else 0. labels: [out.rows()]; there are out.cols() classes.
// InvalidArgument, naming the row, where a label is not a class; out is then unspecified.
absl::Status OneHot(std::span<const uint8_t> labels, Matrix out);

}  // namespace mlp::data
