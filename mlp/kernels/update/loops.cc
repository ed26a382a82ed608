#include "mlp/kernels/loops.h"

#include "mlp/kernels/update/kernels.h"
#include "mlp/kernels/update/run.h"

namespace mlp::kernels {
namespace {

struct Loops {
  template <class Optimizer, class Math>
  static void Run(const UpdateStep& step_in, const UpdateSpans& spans) {
    const UpdateStep step = step_in;
    const size_t n = spans.parameters.size();
    float* __restrict w = spans.parameters.data();
    const float* __restrict g = spans.gradient.data();
    float* __restrict s0 = spans.states[0].data();
    float* __restrict s1 = spans.states[1].data();
    for (size_t i = 0; i < n; ++i) {
      float s[kMaxStates] = {};
      if constexpr (Optimizer::kStates > 0) s[0] = s0[i];
      if constexpr (Optimizer::kStates > 1) s[1] = s1[i];
      float value = w[i];
      Optimizer::template Apply<Math>(step, g[i], value, s);
      w[i] = value;
      if constexpr (Optimizer::kStates > 0) s0[i] = s[0];
      if constexpr (Optimizer::kStates > 1) s1[i] = s[1];
    }
  }
};

}  // namespace

template <>
const UpdateKernels& UpdateTable<Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA>() {
  static constexpr UpdateKernels kTable = {{Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA},
                                           RunUpdate<Loops>};
  return kTable;
}

}  // namespace mlp::kernels
