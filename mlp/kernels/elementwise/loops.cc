#include "mlp/kernels/loops.h"

#include "mlp/kernels/elementwise/kernels.h"
#include "mlp/kernels/elementwise/map.h"

namespace mlp::kernels {
namespace {

struct Loops {
  template <class F, class... In>
  static void Row(size_t n, F f, float* out, const In*... in) {
    // In place or apart, never shifted: each element depends on its own alone.
    MLP_INDEPENDENT
    for (size_t j = 0; j < n; ++j) out[j] = f(in[j]...);
  }
};

void Convert(size_t n, float scale, const uint8_t* x, float* y) {
  for (size_t j = 0; j < n; ++j) y[j] = scale * static_cast<float>(x[j]);
}

void ScaleBy(size_t n, float factor, float* x) {
  for (size_t j = 0; j < n; ++j) x[j] *= factor;
}

void Add(size_t n, const float* x, float* y) {
  MLP_INDEPENDENT
  for (size_t j = 0; j < n; ++j) y[j] += x[j];
}

}  // namespace

template <>
const ElementwiseKernels& ElementwiseTable<Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA>() {
  static constexpr ElementwiseKernels kTable = {{Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA},
                                                ActivationLoops<Loops>::Activate,
                                                ActivationLoops<Loops>::Backward,
                                                Convert,
                                                ScaleBy,
                                                Add};
  return kTable;
}

}  // namespace mlp::kernels
