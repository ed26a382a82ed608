// The ops of a tape: what each computes, and its partial derivatives, written once for every number
// type T: float, double, Pack (many samples) and Dual (a number with a direction).
//
//   unary   Value(x)      Slope(x, y)               y = f(x), f'(x)
//   binary  Value(a, b)   SlopeA(a, b, y), SlopeB   y = f(a, b), df/da, df/db
//
// Types bring their functions (exp, select, ...) along; those of plain numbers are below.
#pragma once

#include <cmath>
#include <concepts>

namespace mlp::tape {
namespace {

template <class T>
[[gnu::always_inline]] inline T select(bool condition, T a, T b) {
  return condition ? a : b;
}
template <std::floating_point T>
[[gnu::always_inline]] inline bool IsZero(T x) {
  return x == 0;
}
template <std::floating_point T>
[[gnu::always_inline]] inline bool IsFinite(T x) {
  return x - x == 0;
}
// What an op with the adjoint q adds to that of an operand: q times the partial derivative. Nothing
// where q is 0, however large the derivative: the root does not depend on the op there.
template <class T>
[[gnu::always_inline]] inline T Chain(const T& q, const T& slope) {
  return IsZero(q) ? T(0) : q * slope;
}
// Whether one of two products may owe its NaN to a q of 0. Of plain numbers one test, which hardly
// ever holds: where q is 0 cannot be foreseen.
template <class T>
[[gnu::always_inline]] inline bool MayNeedChain(const T& a, const T& b) {
  if constexpr (std::floating_point<T>) {
    return __builtin_isunordered(a, b);
  } else {
    return true;
  }
}
using std::abs;
using std::cos;
using std::erf;
using std::exp;
using std::expm1;
using std::log;
using std::log1p;
using std::pow;
using std::sin;
using std::sqrt;
using std::tanh;

struct Add {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return a + b;
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T&, const T&, const T&) {
    return T(1);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeB(const T&, const T&, const T&) {
    return T(1);
  }
};

struct Sub {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return a - b;
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T&, const T&, const T&) {
    return T(1);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeB(const T&, const T&, const T&) {
    return T(-1);
  }
};

struct Mul {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return a * b;
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T&, const T& b, const T&) {
    return b;
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeB(const T& a, const T&, const T&) {
    return a;
  }
};

struct Div {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return a / b;
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T&, const T& b, const T&) {
    return T(1) / b;
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeB(const T&, const T& b, const T& y) {
    return -y / b;
  }
};

// a^b where both are variables: a > 0, or the slope for b is taken as 0. At b = 0 the slope for a
// is 0, but not its own slope for b.
struct Pow {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return pow(a, b);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T& a, const T& b, const T&) {
    const T power = pow(a, b - T(1));
    return b * select(b == T(0), select(power - power == T(0), power, T(0)), power);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeB(const T& a, const T&, const T& y) {
    return select(a > T(0), y * log(select(a > T(0), a, T(1))), T(0));
  }
};

// Ops with a plain number b: there is no SlopeB.
template <class Op>
struct OfNumber {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return Op::Value(a, b);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T& a, const T& b, const T& y) {
    return Op::SlopeA(a, b, y);
  }
};
struct AddNumber : OfNumber<Add> {};
struct MulNumber : OfNumber<Mul> {};
struct DivNumber : OfNumber<Div> {};
struct PowNumber : OfNumber<Pow> {
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T& a, const T& b, const T&) {
    return select(b == T(0), T(0), b * pow(a, b - T(1)));
  }
};

// b - a.
struct NumberSub {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return b - a;
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T&, const T&, const T&) {
    return T(-1);
  }
};

// b / a.
struct NumberDiv {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return b / a;
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T& a, const T&, const T& y) {
    return -y / a;
  }
};

// a, but 0 where the number b is 0, whatever a is.
struct KeepNumber {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return select(b == T(0), T(0), a);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T&, const T& b, const T&) {
    return select(b == T(0), T(0), T(1));
  }
};

// The larger one; the first where they are equal.
struct Max {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return select(a < b, b, a);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T& a, const T& b, const T&) {
    return select(a < b, T(0), T(1));
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeB(const T& a, const T& b, const T&) {
    return select(a < b, T(1), T(0));
  }
};

struct Min {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return select(b < a, b, a);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T& a, const T& b, const T&) {
    return select(b < a, T(0), T(1));
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeB(const T& a, const T& b, const T&) {
    return select(b < a, T(1), T(0));
  }
};

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
