#include "mlp/data/preprocess.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"

namespace mlp::data {

void Normalize(std::span<const uint8_t> pixels, Matrix out) {
  MLP_CHECK_EQ(pixels.size(), out.rows() * out.cols());
  for (size_t i = 0; i < out.rows(); ++i) {
    const uint8_t* from = pixels.data() + i * out.cols();
    float* to = out.row(i);
    for (size_t j = 0; j < out.cols(); ++j) to[j] = static_cast<float>(from[j]) / 255.0f;
  }
}

absl::Status OneHot(std::span<const uint8_t> labels, Matrix out) {
  MLP_CHECK_EQ(labels.size(), out.rows());
  for (size_t i = 0; i < out.rows(); ++i) {
    if (labels[i] >= out.cols()) {
      return absl::InvalidArgumentError(absl::StrCat("label ", i, ": expected a class below ",
                                                     out.cols(), ", found ", labels[i],
                                                     "; check the labels or the classes"));
    }
    std::fill_n(out.row(i), out.cols(), 0.0f);
    out(i, labels[i]) = 1;
  }
  return absl::OkStatus();
}

}  // namespace mlp::data
