// The loss of a classification on values.
#pragma once

#include <array>
#include <span>

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

// log(sum of e^logit) - logit[label], at least 0. The largest logit is taken out first, as a plain
// number, so that no power overflows. At least one logit; 0 <= label < their number.
template <class T>
Value<T> softmax_cross_entropy(std::span<const Value<T>> logits, const Label<T>& label) {
  MLP_CHECK_GT(logits.size(), 0u);
  T largest = logits[0].value();
  for (const Value<T>& logit : logits) largest = tape::Max::Value(largest, logit.value());
  const Value<T> shift = largest;
  Value<T> sum = exp(logits[0] - shift);
  for (size_t k = 1; k < logits.size(); ++k) sum += exp(logits[k] - shift);
  Value<T> loss = log(sum) + shift;
  if constexpr (Recorder<T>::kPacked) {
    for (size_t k = 0; k < logits.size(); ++k) {
      T chosen(0);
      for (size_t i = 0; i < label.size(); ++i) chosen.v[i] = label[i] == static_cast<int>(k);
      loss -= logits[k] * chosen;
    }
    return loss;
  } else {
    MLP_CHECK_GE(label, 0);
    MLP_CHECK_LT(static_cast<size_t>(label), logits.size());
    return loss - logits[static_cast<size_t>(label)];
  }
}

}  // namespace mlp::autograd
