// The loss of a classification on values.
#pragma once

#include <array>
#include <span>
#include <string>

#include "mlp/autograd/expect.h"
#include "mlp/autograd/value.h"

namespace mlp::autograd {

// What a sample's label is: a number, or one for each of a pack's samples.
template <class T>
struct LabelOf {
  using type = int;
};
template <class S, int W>
struct LabelOf<tape::Pack<S, W>> {
  using type = std::array<int, W>;
};
template <class T>
using Label = typename LabelOf<T>::type;

// log(sum of e^logit) - logit[label], at least 0. The largest logit is taken out first, so that no
// power overflows: as a plain number, which has no derivative, and in a compiled program as what is
// the largest at its inputs. At least one logit; 0 <= label < their number. A logit may be
// -infinity: a class that cannot be.
template <class T>
Value<T> softmax_cross_entropy(std::span<const Value<T>> logits, const Label<T>& label) {
  internal::ExpectSome(logits.size(), "softmax_cross_entropy: logits",
                       "give it one for each class");
  for (const Value<T>& logit : logits) (void)logit.id();  // Recorded before what follows.
  Value<T> minus_largest;
  if (Recorder<T>::current->guards) {  // It compiles.
    Value<T> largest = logits[0];
    for (const Value<T>& logit : logits) largest = max(largest, logit);
    minus_largest = -largest;
  } else {
    T largest = logits[0].value();
    for (const Value<T>& logit : logits) largest = tape::Max::Value(largest, logit.value());
    minus_largest = -largest;
  }
  // Each step for all classes, one after the other on the tape: one record.
  const auto for_each = [&](auto op) {
    const Id first = op(0).id();
    for (size_t k = 1; k < logits.size(); ++k) (void)op(k);
    return Leaves<T>(first, logits.size());
  };
  // What is added has no derivative.
  const Leaves<T> differences = for_each([&](size_t k) {
    return RecordOp<Op::kAddNumber, tape::AddNumber, T>(logits[k], minus_largest);
  });
  const Leaves<T> powers = for_each([&](size_t k) { return exp(differences[k]); });
  Value<T> sum = powers[0];
  for (size_t k = 1; k < logits.size(); ++k) sum += powers[k];
  // log(sum) - differences[label]: beside the largest logit itself a small loss would be lost.
  Value<T> loss = log(sum);
  const auto check = [&](int class_of) {
    if (class_of >= 0 && static_cast<size_t>(class_of) < logits.size()) return;
    internal::Refuse("softmax_cross_entropy: label: expected 0 to " +
                     std::to_string(logits.size() - 1) + ", found " + std::to_string(class_of) +
                     "; give the net an output for each class");
  };
  if constexpr (Recorder<T>::kPacked) {
    for (const int class_of : label) check(class_of);
    for (size_t k = 0; k < logits.size(); ++k) {
      T chosen(0);
      for (size_t i = 0; i < label.size(); ++i) chosen.v[i] = label[i] == static_cast<int>(k);
      loss -= keep(differences[k], chosen);
    }
    return loss;
  } else {
    check(label);
    return loss - differences[static_cast<size_t>(label)];
  }
}
template <IsValueRange R>
Value<NumberIn<R>> softmax_cross_entropy(const R& logits, const Label<NumberIn<R>>& label) {
  return softmax_cross_entropy<NumberIn<R>>(ValuesOf(logits), label);
}

}  // namespace mlp::autograd
