// What an engine takes and gives in one step.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/base/check.h"
#include "mlp/data/dataset.h"

namespace mlp::engine {

// Pixels become numbers in [0, 1].
inline constexpr float kPixelScale = 1.0f / 255;
// Each of them, as a conversion computes it.
inline constexpr std::array<float, 256> kPixelValues = [] {
  std::array<float, 256> values = {};
  for (size_t i = 0; i < 256; ++i) values[i] = kPixelScale * static_cast<float>(i);
  return values;
}();

// Rows of what goes into a model, one of two kinds, wherever they lie.
struct Inputs {
  const uint8_t* pixels;  // [*, width], or null
  const float* values;    // [*, width] otherwise
  size_t width;
  std::span<const uint32_t> rows;

  // Of examples that are not packed.
  static Inputs Of(const data::Examples& examples, std::span<const uint32_t> rows) {
    MLP_CHECK(examples.packed.empty());
    return {examples.pixels.data(), examples.values.data(), examples.features, rows};
  }
  // `n` of them from `begin`.
  Inputs Part(size_t begin, size_t n) const {
    return {pixels, values, width, rows.subspan(begin, n)};
  }
};

// Some rows of a set of examples.
struct Batch {
  const data::Examples* examples;
  std::span<const uint32_t> rows;
  // Those of the batch after this one, where that is known: an engine may ask for them early.
  std::span<const uint32_t> next_rows = {};
};

// What one or more forward passes came to. Sums, so that results can be added up.
struct StepResult {
  double loss_sum = 0;  // nats
  size_t hits = 0;      // samples whose largest logit is their label's
  size_t samples = 0;

  // Of one loss and one hit (or 0) for each sample.
  static StepResult Of(std::span<const float> losses, std::span<const uint8_t> hits);

  double loss() const { return loss_sum / static_cast<double>(samples); }
  double accuracy() const { return static_cast<double>(hits) / static_cast<double>(samples); }
  StepResult& operator+=(const StepResult& other) {
    loss_sum += other.loss_sum;
    hits += other.hits;
    samples += other.samples;
    return *this;
  }
};

}  // namespace mlp::engine
