// Trades time for memory: a segment of a computation keeps its inputs and outputs alone, and is
// recorded again, for as long as it takes to sweep it, when Backward comes to it. A chain of n
// segments of m values takes n + m values on the tape instead of n m, and each is computed twice
// (Griewank & Walther, "Evaluating derivatives", 2008, chapter 12).
#pragma once

#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "mlp/autograd/tape.h"

namespace mlp::autograd {

// The outputs of segment(inputs), a function from std::span<const Value<T>> to
// std::vector<Value<T>>. The segment has to depend on its inputs (and on parameters) alone, and to
// do the same each time it is called; captures live until the tape is rewound. Segments may hold
// segments.
template <class T, class Function>
std::vector<Value<T>> Checkpoint(Tape<T>& tape, Function segment,
                                 std::type_identity_t<std::span<const Value<T>>> inputs) {
  return tape.Call(std::move(segment), inputs);
}

}  // namespace mlp::autograd
