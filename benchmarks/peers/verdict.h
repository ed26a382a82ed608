// Whether a contender computes what the reference job is: its losses and accuracies against those
// of our own trainer after the same number of epochs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/peers/protocol.h"

namespace mlp::peers {

// After one epoch.
struct Figures {
  EpochAnswer train;
  EvaluateAnswer test;
};

// How far a contender may be off. Accuracies are parts of 1.
struct Tolerance {
  double train_loss = 0;  // relative
  double train_accuracy = 0;
  double test_accuracy = 0;
};

// Rounding alone makes two trainings with the same order and weights drift apart; another order or
// other weights make them two trainings, and so does another precision.
Tolerance ToleranceFor(const Uses& uses);

// "" where they agree or are not to be checked, else what does not, with both values and the
// tolerance. `epoch` from 1.
std::string Disagreement(const Uses& uses, const Figures& found, const Figures& expected,
                         size_t epoch);

}  // namespace mlp::peers
