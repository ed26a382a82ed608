// The ops of a tape: what each computes, and its partial derivatives, written once for every number
// type T: float, double, Pack (many samples) and Dual (a number with a direction).
//
//   unary   Value(x)      Slope(x, y)               y = f(x), f'(x); see unary_math.h
//   binary  Value(a, b)   SlopeA(a, b, y), SlopeB   y = f(a, b), df/da, df/db
#pragma once

#include "mlp/kernels/tape/number_math.h"
#include "mlp/kernels/tape/unary_math.h"

namespace mlp::tape {
namespace {

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

// The angle of the point (b, a), in (-pi, pi].
struct Atan2 {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return atan2(a, b);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T& a, const T& b, const T&) {
    return b / (a * a + b * b);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeB(const T& a, const T& b, const T&) {
    return -a / (a * a + b * b);
  }
};

// The root of a^2 + b^2, without overflow. Slopes 0 at the origin, which no direction leaves
// downwards.
struct Hypot {
  template <class T>
  [[gnu::always_inline]] static T Value(const T& a, const T& b) {
    return hypot(a, b);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeA(const T& a, const T&, const T& y) {
    return select(y == T(0), T(0), a / y);
  }
  template <class T>
  [[gnu::always_inline]] static T SlopeB(const T&, const T& b, const T& y) {
    return select(y == T(0), T(0), b / y);
  }
};

}  // namespace
}  // namespace mlp::tape
