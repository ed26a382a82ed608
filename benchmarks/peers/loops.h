// What a user of a library of matrix products writes around them: gather, bias and ReLU, loss,
// Adam. Plain loops for the compiler to vectorise; each handles a range of rows or elements, so
// that the caller decides who does what in parallel.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "benchmarks/peers/peer.h"

namespace mlp::peers {

// This thread's part of 0 .. n-1 in a parallel region: begin, end.
inline std::pair<size_t, size_t> ThreadShare(size_t n) {
  const auto threads = static_cast<size_t>(omp_get_num_threads());
  const auto thread = static_cast<size_t>(omp_get_thread_num());
  return {n * thread / threads, n * (thread + 1) / threads};
}

// to[n] = pixels as numbers in [0, 1].
inline void ConvertPixels(const uint8_t* pixels, size_t n, float* to) {
  for (size_t j = 0; j < n; ++j) to[j] = static_cast<float>(pixels[j]) * kPixelScale;
}

// The same of these rows of a matrix [*, n], to [rows, n]; all threads share the work.
inline void ConvertRows(const uint8_t* pixels, std::span<const uint32_t> rows, size_t n,
                        float* to) {
#pragma omp parallel for
  for (size_t i = 0; i < rows.size(); ++i) ConvertPixels(pixels + rows[i] * n, n, to + i * n);
}

// y[rows, n] += bias[n], then ReLU where asked for.
inline void AddBias(const float* bias, size_t rows, size_t n, bool relu, float* y) {
  for (size_t i = 0; i < rows; ++i, y += n) {
    if (relu) {
      for (size_t j = 0; j < n; ++j) y[j] = std::max(y[j] + bias[j], 0.0f);
    } else {
      for (size_t j = 0; j < n; ++j) y[j] += bias[j];
    }
  }
}

// gradient[n] = 0 where the ReLU's output is.
inline void MaskRelu(const float* output, size_t n, float* gradient) {
  for (size_t j = 0; j < n; ++j) gradient[j] = output[j] > 0 ? gradient[j] : 0.0f;
}

// sums[n] = sums over the rows of y[rows, n].
inline void SumRows(const float* y, size_t rows, size_t n, float* sums) {
  std::fill_n(sums, n, 0.0f);
  for (size_t i = 0; i < rows; ++i, y += n) {
    for (size_t j = 0; j < n; ++j) sums[j] += y[j];
  }
}

// Loss and hits of logits z[rows, n], whose gradient, times scale, takes their place. rows_of[i] is
// the sample in row i.
inline Sum SoftmaxLoss(const uint8_t* labels, const uint32_t* rows_of, size_t rows, size_t n,
                       float scale, float* z) {
  Sum sum = {.samples = rows};
  for (size_t i = 0; i < rows; ++i, z += n) {
    const uint8_t label = labels[rows_of[i]];
    const float* const largest = std::max_element(z, z + n);
    const float top = *largest;
    sum.hits += static_cast<size_t>(largest - z) == label;
    const float at_label = z[label] - top;
    float total = 0;
    for (size_t j = 0; j < n; ++j) total += z[j] = std::exp(z[j] - top);
    sum.loss += std::log(total) - at_label;
    for (size_t j = 0; j < n; ++j) z[j] *= scale / total;
    z[label] -= scale;
  }
  return sum;
}

// Adam (Kingma & Ba, 2015) with the constants that PyTorch, JAX and this project share.
class Adam {
 public:
  Adam(size_t parameters, double learning_rate)
      : learning_rate_(learning_rate), m_(parameters), v_(parameters) {}

  // To be called once before the updates of a step.
  void NextStep() {
    ++step_;
    rate_ = static_cast<float>(learning_rate_ / (1 - std::pow(kBeta1, step_)));
    root_scale_ = static_cast<float>(1 / std::sqrt(1 - std::pow(kBeta2, step_)));
  }

  // A step of all parameters; all threads share the work.
  void Step(const float* g, float* w) {
    NextStep();
#pragma omp parallel
    {
      const auto [begin, end] = ThreadShare(m_.size());
      Update(begin, end - begin, g + begin, w + begin);
    }
  }

  // Of n parameters from `at` on; g is their gradient, w they themselves.
  void Update(size_t at, size_t n, const float* g, float* w) {
    float* m = m_.data() + at;
    float* v = v_.data() + at;
#pragma omp simd
    for (size_t i = 0; i < n; ++i) {
      m[i] = kBeta1 * m[i] + (1 - kBeta1) * g[i];
      v[i] = kBeta2 * v[i] + (1 - kBeta2) * g[i] * g[i];
      w[i] -= rate_ * m[i] / (std::sqrt(v[i]) * root_scale_ + kEpsilon);
    }
  }

 private:
  static constexpr float kBeta1 = 0.9f;
  static constexpr float kBeta2 = 0.999f;
  static constexpr float kEpsilon = 1e-8f;

  const double learning_rate_;
  int step_ = 0;
  float rate_ = 0;
  float root_scale_ = 0;
  AlignedBuffer<float> m_;
  AlignedBuffer<float> v_;
};

// Where a layer's parameters begin in the flat vector: W [inputs, outputs], then b [outputs].
struct LayerOffsets {
  size_t weights = 0;
  size_t bias = 0;
  size_t end = 0;
};
inline std::vector<LayerOffsets> Offsets(const std::vector<size_t>& widths) {
  std::vector<LayerOffsets> offsets;
  size_t at = 0;
  for (size_t l = 0; l + 1 < widths.size(); ++l) {
    const size_t bias = at + widths[l] * widths[l + 1];
    offsets.push_back({at, bias, bias + widths[l + 1]});
    at = offsets.back().end;
  }
  return offsets;
}

}  // namespace mlp::peers
