// Whether a contender computes what the reference job is: its losses and accuracies against those
// of our own trainer after the same number of epochs.
#pragma once

#include <cstddef>
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

// How many samples the figures are of.
struct Samples {
  size_t train = 60000;
  size_t test = 10000;
};

// Rounding alone makes two trainings with the same order and weights drift apart; another order or
// other weights make them two trainings, and so does another precision. Those differ the more the
// fewer samples there are, as means of so many do.
Tolerance ToleranceFor(const Uses& uses, const Samples& samples);

// "" where they agree or are not to be checked, else what does not, with both values and the
// tolerance. `epoch` from 1.
std::string Disagreement(const Uses& uses, const Samples& samples, const Figures& found,
                         const Figures& expected, size_t epoch);

}  // namespace mlp::peers
