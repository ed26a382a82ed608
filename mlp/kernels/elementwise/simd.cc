#include "mlp/base/simd.h"

#include "mlp/kernels/elementwise/kernels.h"
#include "mlp/kernels/elementwise/map.h"
#include "mlp/kernels/math_simd.h"

namespace mlp::kernels {
namespace {

using V = Vec<Isa::MLP_TARGET_ISA>;

struct Loops {
  template <class F, class... In>
  static void Row(size_t n, F f, float* out, const In*... in) {
    Map<V>(n, f, out, in...);
  }
};

void Convert(size_t n, float scale, const uint8_t* x, float* y) {
  for (size_t j = 0; j < n; ++j) y[j] = scale * static_cast<float>(x[j]);
}

void ScaleBy(size_t n, float factor, float* x) {
  Map<V>(
      n, [factor](V v) { return v * V(factor); }, x, x);
}

void Add(size_t n, const float* x, float* y) {
  Map<V>(
      n, [](V a, V b) { return a + b; }, y, x, y);
}

}  // namespace

template <>
const ElementwiseKernels& ElementwiseTable<Backend::kSimd, Isa::MLP_TARGET_ISA>() {
  static constexpr ElementwiseKernels kTable = {{Backend::kSimd, Isa::MLP_TARGET_ISA},
                                                ActivationLoops<Loops>::Activate,
                                                ActivationLoops<Loops>::Backward,
                                                Convert,
                                                ScaleBy,
                                                Add};
  return kTable;
}

}  // namespace mlp::kernels
