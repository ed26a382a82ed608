// From an activation's name to a loop over a matrix, for whichever loop a backend brings.
#pragma once

#include "mlp/kernels/elementwise/activation_math.h"
#include "mlp/kernels/elementwise/kernels.h"

namespace mlp::kernels {
namespace {

// visit(functor, policy) with the types behind an activation and a mode. Inlined, as a visit may be
// of one vector, which should stay in its register.
template <class Visit>
[[gnu::always_inline]] inline void WithActivation(Activation activation, MathMode math,
                                                  Visit visit) {
  switch (activation) {
#define MLP_ACTIVATION(functor, name) \
  case Activation::k##functor:        \
    return math == MathMode::kFast ? visit(functor(), FastMath()) : visit(functor(), ExactMath());
#include "mlp/kernels/elementwise/activations.inc"
#undef MLP_ACTIVATION
  }
}

// Loops::Row(n, f, out, in...) is out[j] = f(in[j]...) for j < n.
template <class Loops>
struct ActivationLoops {
  static void Activate(Activation activation, MathMode math, ConstMatrix x, Matrix y) {
    WithActivation(activation, math, [&]<class F, class Math>(F, Math) {
      for (size_t i = 0; i < x.rows(); ++i) {
        Loops::Row(
            x.cols(), [](auto v) { return F::template Value<Math>(v); }, y.row(i), x.row(i));
      }
    });
  }

  static void Backward(Activation activation, MathMode math, ConstMatrix x, ConstMatrix y,
                       ConstMatrix dy, Matrix dx) {
    WithActivation(activation, math, [&]<class F, class Math>(F, Math) {
      const ConstMatrix& input = F::kSlopeFromOutput ? y : x;
      for (size_t i = 0; i < y.rows(); ++i) {
        Loops::Row(
            y.cols(),
            [](auto in, auto out, auto d) { return F::template Slope<Math>(in, out) * d; },
            dx.row(i), input.row(i), y.row(i), dy.row(i));
      }
    });
  }
};

}  // namespace
}  // namespace mlp::kernels
