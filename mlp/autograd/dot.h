// Sums of products, with or without a first summand c, as one record from the start: for who has
// consecutive values at hand. Their values are summed as vectors, so their last bits may differ
// from those of `s += a[k] * b[k]`.
#pragma once

#include <span>

#include "mlp/autograd/tape.h"

namespace mlp::autograd {

template <class T>
Value<T> dot(const Value<T>& c, Leaves<T> a, Leaves<T> b) {
  MLP_CHECK_EQ(a.size(), b.size());
  if (a.size() == 0) return c;
  Recorder<T>& recorder = *Recorder<T>::current;
  T y = c.value();
  if constexpr (Recorder<T>::kPacked) {
    for (size_t k = 0; k < a.size(); ++k) y += a[k].value() * b[k].value();
  } else {
    PassesOf<T>().dot(c.value(), recorder.values + a.first(), recorder.values + b.first(), a.size(),
                      y);
  }
  const Id id = recorder.StartDot(
      c.id(), Word::Make(Op::kMul, a[a.size() - 1].id(), b[a.size() - 1].id()), y);
  recorder.runs[recorder.words[id].a()] = {a.first(), b.first(), c.id(), static_cast<Id>(a.size())};
  return Value<T>::Recorded(y, id);
}

namespace internal {

// Whether they are n values one after the other on the tape.
template <class T>
bool IsBlock(Leaves<T>) {
  return true;
}
template <class T>
bool IsBlock(std::span<const Value<T>> values) {
  for (size_t k = 1; k < values.size(); ++k) {
    if (values[k].id() != values[0].id() + k) return false;
  }
  return !values.empty();
}
template <class T>
Leaves<T> Block(Leaves<T> leaves) {
  return leaves;
}
template <class T>
Leaves<T> Block(std::span<const Value<T>> values) {
  return {values[0].id(), values.size()};
}

template <class T, class A, class B>
Value<T> DotOf(const Value<T>& c, const A& a, const B& b) {
  MLP_CHECK_EQ(a.size(), b.size());
  if (IsBlock(a) && IsBlock(b)) return dot(c, Block(a), Block(b));
  Value<T> sum = c;
  for (size_t k = 0; k < b.size(); ++k) sum += a[k] * b[k];
  return sum;
}

}  // namespace internal

// The same of values, at best with consecutive ids, as the outputs of a layer have.
template <class T>
Value<T> dot(const Value<T>& c, Leaves<T> a, std::span<const Value<T>> b) {
  return internal::DotOf(c, a, b);
}
template <class T>
Value<T> dot(const Value<T>& c, std::span<const Value<T>> a, std::span<const Value<T>> b) {
  return internal::DotOf(c, a, b);
}

// Without c.
template <class T>
Value<T> dot(Leaves<T> a, Leaves<T> b) {
  return dot(Value<T>(), a, b);
}
template <class T>
Value<T> dot(Leaves<T> a, std::span<const Value<T>> b) {
  return dot(Value<T>(), a, b);
}
template <class T>
Value<T> dot(std::span<const Value<T>> a, std::span<const Value<T>> b) {
  return dot(Value<T>(), a, b);
}

}  // namespace mlp::autograd
