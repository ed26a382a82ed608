// c + sum of a[k] * b[k] as one record from the start: for who has consecutive values at hand. Its
// value is summed as vectors, so its last bits may differ from those of `s += a[k] * b[k]`.
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

// The same of values, at best with consecutive ids, as the outputs of a layer have.
template <class T>
Value<T> dot(const Value<T>& c, Leaves<T> a, std::span<const Value<T>> b) {
  MLP_CHECK_EQ(a.size(), b.size());
  bool consecutive = !b.empty();
  for (size_t k = 1; k < b.size(); ++k) consecutive &= b[k].id() == b[0].id() + k;
  if (consecutive) return dot(c, a, Leaves<T>(b[0].id(), b.size()));
  Value<T> sum = c;
  for (size_t k = 0; k < b.size(); ++k) sum += a[k] * b[k];
  return sum;
}

}  // namespace mlp::autograd
