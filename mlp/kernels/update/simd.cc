#include "mlp/base/simd.h"

#include "mlp/kernels/math_simd.h"
#include "mlp/kernels/update/kernels.h"
#include "mlp/kernels/update/run.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;
constexpr size_t kLanes = V::size;

struct Loops {
  template <class Optimizer, class Math>
  static void Run(const UpdateStep& step_in, const UpdateSpans& spans) {
    const UpdateStep step = step_in;
    const size_t n = spans.parameters.size();
    float* w = spans.parameters.data();
    const float* g = spans.gradient.data();
    // Copies: vectors that are stored might alias the spans themselves.
    float* states[kMaxStates];
    for (size_t k = 0; k < Optimizer::kStates; ++k) states[k] = spans.states[k].data();
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      V value = V::load_unaligned(w + i);
      V s[kMaxStates];
      for (size_t k = 0; k < Optimizer::kStates; ++k) s[k] = V::load_unaligned(states[k] + i);
      Optimizer::template Apply<Math>(step, V::load_unaligned(g + i), value, s);
      value.store_unaligned(w + i);
      for (size_t k = 0; k < Optimizer::kStates; ++k) s[k].store_unaligned(states[k] + i);
    }
    if (i == n) return;
    const size_t rest = n - i;
    V value = LoadPartial<V>(w + i, rest);
    V s[kMaxStates];
    for (size_t k = 0; k < Optimizer::kStates; ++k) s[k] = LoadPartial<V>(states[k] + i, rest);
    Optimizer::template Apply<Math>(step, LoadPartial<V>(g + i, rest), value, s);
    StorePartial(value, w + i, rest);
    for (size_t k = 0; k < Optimizer::kStates; ++k) StorePartial(s[k], states[k] + i, rest);
  }
};

}  // namespace

template <>
const UpdateKernels& UpdateTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr UpdateKernels kTable = {{Backend::kSimd, Isa::MLP_TARGET_ISA}, RunUpdate<Loops>};
  return kTable;
}

}  // namespace mlp::kernels
