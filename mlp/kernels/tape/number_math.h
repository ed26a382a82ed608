// What the formulas of a tape's ops (op_math.h) need of a number type: its functions, and how an
// adjoint meets a partial derivative. Types bring their own (exp, select, ...) along; those of
// plain numbers are here.
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
using std::acos;
using std::asin;
using std::atan;
using std::atan2;
using std::cbrt;
using std::cos;
using std::cosh;
using std::erf;
using std::exp;
using std::expm1;
using std::hypot;
using std::log;
using std::log1p;
using std::pow;
using std::sin;
using std::sinh;
using std::sqrt;
using std::tan;
using std::tanh;

}  // namespace
}  // namespace mlp::tape
