// The product of one row with a matrix in panels (see panel.h), for answers without delay.
//
// A batch shares each weight that it loads; one row alone waits for all of them. So as many columns
// as registers hold are summed side by side while the weights stream in, and rows of the matrix
// whose factor is 0 are left out. Every column's sum starts from `start` and takes its terms in
// ascending order, as the products of panel.h do: a row's results have the same bits in a batch and
// alone, with zeros and without (for finite weights and x other than -0, x + 0 * w = x).
//
// Of a narrow matrix, one vector of columns, each term would wait for the one before: there four
// sums take turns and are added up, (0 + 1) + (2 + 3). Such products have no lists.
//
// The matrix may be of bfloat16, half the memory to wait for: two in a word of 32 bits, of columns
// j and j + width / 2 of a panel, the first in the lower half. Sums are the same as of floats.
//
// The calling thread does all the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mlp/kernels/context.h"

namespace mlp::kernels {

// The bytes of a row that are not 0, in order of their columns.
struct ByteList {
  const uint32_t* entries = nullptr;  // column * 256 + byte; columns are below 2^20
  size_t count = 0;
};

// Who makes lists may write so many entries beyond those that they count.
inline constexpr size_t kListSlack = 64;

// y = start + x b, for any kind of x.
struct Gemv {
  size_t columns;      // of b and y
  const float* b;      // panels of [*, width], or of [*, width / 2] words
  size_t b_stride;     // from one panel to the next
  const float* start;  // [columns], room for whole vectors
  float* y;            // [columns], likewise
  bool words = false;  // what b is
};

struct GemvKernels {
  Target target;
  size_t width;   // of a panel: that of the target's PanelKernels
  size_t narrow;  // the most columns of a narrow matrix
  // x as it is, [depth].
  void (*floats)(const Gemv& job, const float* x, size_t depth);
  // The same by the indices of what is not 0.
  void (*float_list)(const Gemv& job, const float* x, std::span<const uint32_t> indices);
  // x as bytes that stand for values[byte]; values: [256].
  void (*bytes)(const Gemv& job, const uint8_t* x, size_t depth, const float* values);
  // The same by those that are not 0.
  void (*byte_list)(const Gemv& job, const ByteList& list, const float* values);

  // Rounds n weights of a panel, a multiple of its width, to the nearest bfloat16 (ties to even),
  // and packs them into n / 2 words.
  void (*pack)(size_t n, float* panel, float* words);

  // How many of x[0 .. n-1] are not 0.
  size_t (*count_bytes)(size_t n, const uint8_t* x);
  // Entries of a ByteList, (first + j) * 256 + x[j], of those x[j] that are not 0, and how many
  // there are. entries: room for n + kListSlack.
  size_t (*list_bytes)(size_t n, uint32_t first, const uint8_t* x, uint32_t* entries);
  // The indices of what is not 0, likewise. A NaN is not 0.
  size_t (*list_floats)(size_t n, const float* x, uint32_t* indices);
};

// Null where the target's backend has none: only simd does.
const GemvKernels* FindGemvKernels(const Target& target);

}  // namespace mlp::kernels
