// Sums of products, with or without a first summand c, as one record from the start: for who has
// consecutive values at hand. Their values are summed as vectors, so their last bits may differ
// from those of `s += a[k] * b[k]`.
#pragma once

#include <span>

#include "mlp/autograd/tape.h"

namespace mlp::autograd {

// What has factors: leaves, and std::vector, std::array or std::span of values.
template <class A>
struct FactorsOf {};
template <class T>
struct FactorsOf<Leaves<T>> {
  using Number = T;
};
template <IsValueRange R>
struct FactorsOf<R> {
  using Number = NumberIn<R>;
};
template <class A>
concept HasFactors = requires {
  typename FactorsOf<A>::Number;
};

namespace internal {

template <class T>
Value<T> DotOfBlocks(const Value<T>& c, Leaves<T> a, Leaves<T> b) {
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

template <class T>
Leaves<T> Factors(Leaves<T> leaves) {
  return leaves;
}
template <IsValueRange R>
auto Factors(const R& range) {
  return ValuesOf(range);
}

template <class T, class A, class B>
Value<T> Dot(const Value<T>& c, const A& a, const B& b) {
  ExpectCount(b.size(), a.size(), "dot: factors on the right", "give both sides as many");
  if (a.size() == 0) return c;
  if (IsBlock(a) && IsBlock(b)) return DotOfBlocks(c, Block(a), Block(b));
  Value<T> sum = c;
  for (size_t k = 0; k < b.size(); ++k) sum += a[k] * b[k];
  return sum;
}

}  // namespace internal

// c + sum of a[k] * b[k], at best of values with consecutive ids, as the outputs of a layer have. c
// may be a value, a leaf or a plain number.
template <HasFactors A, HasFactors B>
auto dot(const Value<typename FactorsOf<A>::Number>& c, const A& a, const B& b) {
  return internal::Dot(c, internal::Factors(a), internal::Factors(b));
}
// Without c.
template <HasFactors A, HasFactors B>
auto dot(const A& a, const B& b) {
  return dot(Value<typename FactorsOf<A>::Number>(), a, b);
}

}  // namespace mlp::autograd
