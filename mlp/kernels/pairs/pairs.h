// Matrix products of bfloat16 with sums in single precision.
//
// Two bfloat16 make a word of 32 bits, the first in the lower half: neighbours along the dimension
// that a product sums over. A matrix of words lies in panels of floats, of which only the bits are
// meant, so the jobs of panel.h serve here, too, with words for elements: a product of depth n
// takes (n + 1) / 2 of them. bfloat16 is the upper half of a float, so that a product of two is
// exact in single precision.
//
// A float is hi + mid + lo, each the nearest bfloat16 to what the terms before left: 3 terms make
// all of its 24 bits, 2 make 16. A product of split operands is the sum of products of their terms.
//
// Units differ in the order of their sums, so in bits:
//   dot   a word adds its upper product to the sum, then the lower, rounding each time (VDPBF16PS)
//   tile  of each 16 words the upper products have a sum of their own and so have the lower; these
//         two are added, then to the sum before; each step rounds (TDPBF16PS)
// Both take denormals as 0 and round to nearest, ties to even (Intel's manual, volume 2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"
#include "mlp/base/team.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/panel/panel.h"

namespace mlp::kernels {

// Words that hold n elements.
constexpr size_t Words(size_t n) { return (n + 1) / 2; }

inline constexpr size_t kMaxTerms = 3;

// Where words are or go, one array for each term: term t at to + t * stride, hi first.
struct Split {
  float* to;
  size_t terms;
  size_t stride;
};

// The products of terms that make a product of operands a and b: those that are not as small as
// what the terms leave out, smallest first, so that their sum does not lose them.
class TermProducts {
 public:
  TermProducts(const Split& a, const Split& b) {
    const size_t terms = a.terms > b.terms ? a.terms : b.terms;
    for (size_t order = terms; order-- > 0;) {
      for (size_t i = 0; i <= order; ++i) {
        if (i >= a.terms || order - i >= b.terms) continue;
        products_[count_++] = {i * a.stride, (order - i) * b.stride};
      }
    }
  }
  operator std::span<const PanelTerm>() const { return std::span(products_).first(count_); }

 private:
  std::array<PanelTerm, kMaxTerms*(kMaxTerms + 1) / 2> products_;
  size_t count_ = 0;
};

struct PairKernels {
  Target target;
  absl::string_view unit;  // the CPU's own that multiplies; "": two products of single precision
  size_t width;
  // Calls may read and write room beyond what is meant: rows up to a multiple of it, and words
  // along the dimension of sums likewise, where one operand has to be 0 and the other finite.
  size_t grain;
  // What a thread has to hold (see team.h) to call product and update; null: nothing.
  const ThreadState* state;
  // Sums over words of columns.
  void (*product)(const PanelProduct& job, std::span<const PanelTerm> terms);
  // Sums over words of rows: job.x from x_rows or byte_rows, job.d from rows. A line is asked for
  // every few of them.
  void (*update)(OptimizerKind kind, MathMode math, const UpdateStep& step, const PanelUpdate& job,
                 std::span<const PanelTerm> terms);
  // Pack elements, rounded to the nearest bfloat16 (ties to even), into one panel of words.
  //
  // Pairs of columns of two panels, [rows, width] each; the second may be null for 0.
  // to: [rows, width].
  void (*columns)(size_t rows, const float* first, const float* second, const Split& to);
  // Pairs of rows of scale * a panel [rows, width]; an odd last row is paired with 0.
  // to: [Words(rows) up to a multiple of grain, width], the rest 0.
  void (*rows)(size_t rows, float scale, const float* panel, const Split& to);
  // The same with scale 1, as an update wants its x.
  void (*x_rows)(size_t rows, const float* panel, const Split& to);
  // The same as columns and x_rows, of bytes, which are exact in one term.
  void (*byte_columns)(size_t rows, const uint8_t* first, const uint8_t* second, float* to);
  void (*byte_rows)(size_t rows, const uint8_t* panel, float* to);
};

// By dot products: the CPU's own, or what they are defined to be. Null where the target's backend
// has none: only simd does.
const PairKernels* FindPairKernels(const Target& target);

// By tiles: null where the CPU has none or the target does not use all that it has.
const PairKernels* FindTileKernels(const Target& target);

}  // namespace mlp::kernels
