// Matrix products of bfloat16 with sums in single precision.
//
// Two bfloat16 make a word of 32 bits, the first in the lower half: neighbours along the dimension
// that a product sums over. A matrix of words lies in panels of floats, of which only the bits are
// meant, so the jobs of panel.h serve here, too, with words for elements: a product of depth n
// takes (n + 1) / 2 of them. bfloat16 is the upper half of a float, so that a product of two is
// exact in single precision; a word adds its upper product first, then the lower, rounding each
// time, with denormals as 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mlp/kernels/context.h"
#include "mlp/kernels/panel/panel.h"

namespace mlp::kernels {

// Words that hold n elements.
constexpr size_t Words(size_t n) { return (n + 1) / 2; }

struct PairKernels {
  Target target;
  bool native;  // by the CPU's own instruction, else by two products of single precision
  size_t width;
  // Sums over words of columns.
  void (*product)(const PanelProduct& job);
  // Sums over words of rows; a line is asked for every four of them.
  void (*update)(OptimizerKind kind, MathMode math, const UpdateStep& step, const PanelUpdate& job);
  // Pack elements, rounded to the nearest bfloat16 (ties to even), into one panel of words.
  //
  // Pairs of columns of two panels, [rows, width] each; the second may be null for 0.
  // to: [rows, width].
  void (*columns)(size_t rows, const float* first, const float* second, float* to);
  // Pairs of rows of scale * a panel [rows, width]; an odd last row is paired with 0.
  // to: [Words(rows), width].
  void (*rows)(size_t rows, float scale, const float* panel, float* to);
  // The same of bytes, which are exact.
  void (*byte_columns)(size_t rows, const uint8_t* first, const uint8_t* second, float* to);
  void (*byte_rows)(size_t rows, const uint8_t* panel, float* to);
};

// Null where the target's backend has none: only simd does.
const PairKernels* FindPairKernels(const Target& target);

}  // namespace mlp::kernels
