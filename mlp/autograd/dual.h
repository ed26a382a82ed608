// A number with its derivative in one direction. Tapes of them compute Hessians times vectors: the
// sweep finds the gradient, and the direction goes through it (forward over reverse; Pearlmutter,
// "Fast exact multiplication by the Hessian", 1994).
#pragma once

#include <cmath>
#include <span>
#include <type_traits>
#include <vector>

#include "mlp/autograd/tape.h"
#include "mlp/kernels/tape/sweep.h"

namespace mlp::autograd {

template <class S>
struct Dual {
  S value = 0;
  S direction = 0;

  Dual() = default;
  Dual(S value, S direction) : value(value), direction(direction) {}
  template <tape::Arithmetic N>
  Dual(N number) : value(static_cast<S>(number)) {}  // NOLINT: numbers are duals

  friend Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.direction + b.direction}; }
  friend Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.direction - b.direction}; }
  friend Dual operator-(Dual a) { return {-a.value, -a.direction}; }
  friend Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.direction * b.value + a.value * b.direction};
  }
  friend Dual operator/(Dual a, Dual b) {
    const S quotient = a.value / b.value;
    return {quotient, (a.direction - quotient * b.direction) / b.value};
  }
  Dual& operator+=(Dual b) { return *this = *this + b; }

  friend bool operator<(Dual a, Dual b) { return a.value < b.value; }
  friend bool operator>(Dual a, Dual b) { return a.value > b.value; }
  friend bool operator<=(Dual a, Dual b) { return a.value <= b.value; }
  friend bool operator>=(Dual a, Dual b) { return a.value >= b.value; }
  friend bool operator==(Dual a, Dual b) { return a.value == b.value; }
  friend bool operator!=(Dual a, Dual b) { return a.value != b.value; }

  friend bool IsZero(Dual a) { return a.value == 0 && a.direction == 0; }
  friend bool IsFinite(Dual a) { return std::isfinite(a.value) && std::isfinite(a.direction); }

  friend Dual abs(Dual a) {
    return a.value < 0 ? -a : a.value > 0 ? a : Dual(std::abs(a.value), S(0));
  }
  friend Dual acos(Dual a) {
    return {std::acos(a.value), -a.direction / std::sqrt((1 - a.value) * (1 + a.value))};
  }
  friend Dual asin(Dual a) {
    return {std::asin(a.value), a.direction / std::sqrt((1 - a.value) * (1 + a.value))};
  }
  friend Dual atan(Dual a) { return {std::atan(a.value), a.direction / (1 + a.value * a.value)}; }
  friend Dual atan2(Dual a, Dual b) {
    return {std::atan2(a.value, b.value), (b.value * a.direction - a.value * b.direction) /
                                              (a.value * a.value + b.value * b.value)};
  }
  friend Dual cbrt(Dual a) {
    const S root = std::cbrt(a.value);
    return {root, a.direction / (3 * root * root)};
  }
  friend Dual cos(Dual a) { return {std::cos(a.value), -std::sin(a.value) * a.direction}; }
  friend Dual cosh(Dual a) { return {std::cosh(a.value), std::sinh(a.value) * a.direction}; }
  friend Dual erf(Dual a) {
    // 2 / sqrt(pi)
    return {std::erf(a.value),
            S(1.12837916709551257390) * std::exp(-a.value * a.value) * a.direction};
  }
  friend Dual exp(Dual a) {
    const S power = std::exp(a.value);
    return {power, power * a.direction};
  }
  friend Dual expm1(Dual a) { return {std::expm1(a.value), std::exp(a.value) * a.direction}; }
  friend Dual hypot(Dual a, Dual b) {
    const S length = std::hypot(a.value, b.value);
    return {length, length == 0 ? S(0) : (a.value * a.direction + b.value * b.direction) / length};
  }
  friend Dual log(Dual a) { return {std::log(a.value), a.direction / a.value}; }
  friend Dual log1p(Dual a) { return {std::log1p(a.value), a.direction / (1 + a.value)}; }
  friend Dual pow(Dual a, Dual b) {
    const S power = std::pow(a.value, b.value);
    S direction = 0;
    if (a.direction != 0 && b.value != 0) {
      direction += b.value * std::pow(a.value, b.value - 1) * a.direction;
    }
    if (b.direction != 0 && a.value > 0) direction += power * std::log(a.value) * b.direction;
    return {power, direction};
  }
  friend Dual sin(Dual a) { return {std::sin(a.value), std::cos(a.value) * a.direction}; }
  friend Dual sinh(Dual a) { return {std::sinh(a.value), std::cosh(a.value) * a.direction}; }
  friend Dual sqrt(Dual a) {
    const S root = std::sqrt(a.value);
    return {root, a.direction / (2 * root)};
  }
  friend Dual tan(Dual a) {
    const S t = std::tan(a.value);
    return {t, (1 + t * t) * a.direction};
  }
  friend Dual tanh(Dual a) {
    const S t = std::tanh(a.value);
    return {t, (1 - t * t) * a.direction};
  }
};

template <>
inline const tape::Passes<Dual<double>>& PassesOf<Dual<double>>() {
  return tape::Sweeper<Dual<double>>::kPasses;
}
template <>
inline const tape::Passes<Dual<float>>& PassesOf<Dual<float>>() {
  return tape::Sweeper<Dual<float>>::kPasses;
}

// What f has at x: its value, gradient, and its Hessian times `direction`.
struct HessianProduct {
  double value = 0;
  std::vector<double> gradient;
  std::vector<double> product;
};

// f: a function of std::span<const Value<Dual<double>>> that returns such a value, e.g. a generic
// lambda. x and direction have the same size. Takes about three times as long as the gradient
// alone.
template <class Function>
HessianProduct HessianVectorProduct(Function f, std::span<const double> x,
                                    std::span<const double> direction) {
  using D = Dual<double>;
  internal::ExpectCount(direction.size(), x.size(), "HessianVectorProduct: direction",
                        "give it a number for each input");
  Tape<D> tape;
  std::vector<Value<D>> inputs;
  for (size_t i = 0; i < x.size(); ++i) inputs.emplace_back(D(x[i], direction[i]));
  const Value<D> y = f(std::span<const Value<D>>(inputs));
  tape.Backward(y);
  HessianProduct result{y.value().value, {}, {}};
  for (const Value<D>& input : inputs) {
    result.gradient.push_back(input.gradient().value);
    result.product.push_back(input.gradient().direction);
  }
  return result;
}

}  // namespace mlp::autograd
