// The ops of a tape that have one operand: see op_math.h.
//
//   Value(x)      Slope(x, y)               y = f(x), f'(x)
#pragma once

#include "mlp/kernels/tape/number_math.h"

namespace mlp::tape {
namespace {

struct Neg {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return -x;
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T&, const T&) {
    return T(-1);
  }
};

struct Exp {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return exp(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T&, const T& y) {
    return y;
  }
};

// e^x - 1, with its digits near 0.
struct Expm1 {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return expm1(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T&, const T& y) {
    return y + T(1);
  }
};

struct Log {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return log(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return T(1) / x;
  }
};

// log(1 + x), with its digits near 0.
struct Log1p {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return log1p(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return T(1) / (T(1) + x);
  }
};

struct Sqrt {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return sqrt(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T&, const T& y) {
    return T(0.5) / y;
  }
};

struct Cbrt {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return cbrt(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T&, const T& y) {
    return T(1) / (T(3) * (y * y));
  }
};

// Slope 0 at 0.
struct Abs {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return abs(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return select(x > T(0), T(1), select(x < T(0), T(-1), T(0)));
  }
};

struct Sin {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return sin(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return cos(x);
  }
};

struct Cos {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return cos(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return -sin(x);
  }
};

struct Tan {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return tan(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T&, const T& y) {
    return T(1) + y * y;
  }
};

struct Asin {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return asin(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return T(1) / sqrt((T(1) - x) * (T(1) + x));
  }
};

struct Acos {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return acos(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return T(-1) / sqrt((T(1) - x) * (T(1) + x));
  }
};

struct Atan {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return atan(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return T(1) / (T(1) + x * x);
  }
};

struct Sinh {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return sinh(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return cosh(x);
  }
};

struct Cosh {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return cosh(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return sinh(x);
  }
};

struct Tanh {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return tanh(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T&, const T& y) {
    return T(1) - y * y;
  }
};

// 2 / sqrt(pi) times the integral of e^-t^2 from 0 to x.
struct Erf {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return erf(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return T(1.12837916709551257390) * exp(-x * x);
  }
};

// e^-|x|, at most 1. At 0 it has the slope of one side, for derivatives of derivatives: what
// chooses between the sides by x < 0, too, has none of its own kinks there.
template <class T>
[[gnu::always_inline]] inline T ExpOfMinusAbs(const T& x) {
  return exp(select(x < T(0), x, -x));
}

// 1 / (1 + e^-x), without overflow.
struct Sigmoid {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    const T e = ExpOfMinusAbs(x);
    return select(x < T(0), e, T(1)) / (T(1) + e);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T&, const T& y) {
    return y * (T(1) - y);
  }
};

// max(x, 0), with slope 0 at 0; a NaN gets through.
struct Relu {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return select(x <= T(0), T(0), x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return select(x > T(0), T(1), T(0));
  }
};

// Slope 0.01 below zero.
struct LeakyRelu {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return select(x > T(0), x, T(0.01) * x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return select(x > T(0), T(1), T(0.01));
  }
};

// x above zero, e^x - 1 below (Clevert, Unterthiner & Hochreiter 2016).
struct Elu {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return select(x > T(0), x, expm1(select(x > T(0), T(0), x)));
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T& y) {
    return select(x > T(0), T(1), y + T(1));
  }
};

// x sigmoid(x), also called swish.
struct Silu {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return x * Sigmoid::Value(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T& y) {
    return Sigmoid::Value(x) + y * Sigmoid::Value(-x);
  }
};

// x Phi(x), Phi the normal distribution (Hendrycks & Gimpel 2016), by erf.
struct Gelu {
  template <class T>
  [[gnu::always_inline]] static T Phi(const T& x) {
    return T(0.5) * (T(1) + erf(x * T(0.70710678118654752440)));
  }
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return x * Phi(x);
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return Phi(x) + x * T(0.39894228040143267794) * exp(T(-0.5) * x * x);
  }
};

// log(1 + e^x), without overflow.
struct Softplus {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& x) {
    return select(x < T(0), T(0), x) + log1p(ExpOfMinusAbs(x));
  }
  template <class T>
  [[gnu::always_inline]] static T Slope(const T& x, const T&) {
    return Sigmoid::Value(x);
  }
};

}  // namespace
}  // namespace mlp::tape
