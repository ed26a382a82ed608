// Optimizer updates, each written once, for any value type V and accuracy Math (see math.h).
//
//   kStates                            arrays of state, each as long as the parameters
//   kFlops                             operations for each parameter, a root or a quotient being
//   one Apply<Math>(step, g, w, s)         w: parameter, g: its gradient, s: its kStates states;
//                                      step: an UpdateStepOf<float> or <double>
//
// Weight decay is decoupled from the gradient: w shrinks by learning_rate * weight_decay per step
// (Loshchilov & Hutter, "Decoupled weight decay regularization", 2019).
#pragma once

#include <cstddef>

#include "mlp/kernels/math.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {

// v = beta2 v + (1 - beta2) g^2.
template <class V, class Step>
[[gnu::always_inline]] inline void AverageSquare(const Step& step, V g, V& v) {
  v = sub_mul(v, V(1.0f - step.beta2), sub_mul(v, g, g));
}

// w = keep w + change. Without weight decay the product would be a multiplication by 1.
template <class V, class Step>
[[gnu::always_inline]] inline void Change(const Step& step, V change, V& w) {
  w = step.keep == 1.0f ? w + change : mul_add(w, V(step.keep), change);
}

// w -= rate * g.
struct Sgd {
  static constexpr size_t kStates = 0;
  static constexpr double kFlops = 3;
  template <class Math, class V, class Step>
  [[gnu::always_inline]] static void Apply(const Step& step, V g, V& w, V*) {
    w = mul_add(V(-step.rate), g, w * V(step.keep));
  }
};

// Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, as frameworks
// have it, with the rate outside of the velocity v:
//   v = beta1 v + g,  w -= rate * v
struct Momentum {
  static constexpr size_t kStates = 1;
  static constexpr double kFlops = 5;
  template <class Math, class V, class Step>
  [[gnu::always_inline]] static void Apply(const Step& step, V g, V& w, V* s) {
    s[0] = mul_add(V(step.beta1), s[0], g);
    w = mul_add(V(-step.rate), s[0], w * V(step.keep));
  }
};

// Tieleman & Hinton, "Lecture 6.5 - rmsprop", 2012, with epsilon outside of the root:
//   v = beta2 v + (1 - beta2) g^2,  w -= rate * g / (sqrt(v) + epsilon)
struct RmsProp {
  static constexpr size_t kStates = 1;
  static constexpr double kFlops = 10;
  template <class Math, class V, class Step>
  [[gnu::always_inline]] static void Apply(const Step& step, V g, V& w, V* s) {
    AverageSquare(step, g, s[0]);
    Change(step, Math::DivideByRoot(g, s[0], V(-1.0f / step.rate), V(-step.epsilon / step.rate)),
           w);
  }
};

// Kingma & Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1, with both bias
// corrections drawn into constants of the step:
//   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2, as m += (1 - beta1) (g - m) etc.
//   w -= rate * m / (sqrt(v) * root_scale + epsilon)
// where rate = learning_rate / (1 - beta1^t) and root_scale = 1 / sqrt(1 - beta2^t).
struct Adam {
  static constexpr size_t kStates = 2;
  static constexpr double kFlops = 13;
  template <class Math, class V, class Step>
  [[gnu::always_inline]] static void Apply(const Step& step, V g, V& w, V* s) {
    s[0] = mul_add(V(1.0f - step.beta1), g - s[0], s[0]);
    AverageSquare(step, g, s[1]);
    // The rate divides the constants of the denominator, once, and not every numerator.
    Change(step,
           Math::DivideByRoot(s[0], s[1], V(-step.root_scale / step.rate),
                              V(-step.epsilon / step.rate)),
           w);
  }
};

}  // namespace mlp::kernels
