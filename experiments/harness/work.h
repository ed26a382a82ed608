// How much each run does. A table says something only when enough rounds of it fit the budget, so a
// short measurement of every variant comes first, and runs do as large a part of their whole work
// as leaves room for those rounds.
#pragma once

#include <cstddef>

#include "mlp/data/dataset.h"

namespace mlp::experiments {

// Rounds to make room for: an interval takes six, and some are slower than the first measurement.
inline constexpr int kWantedRounds = 8;

// The part of the work that the first measurement does.
inline constexpr double kPilotWork = 0.125;

// The largest part of the work, 1 at most and 1/16 at least, of which kWantedRounds rounds take no
// longer than left_s, if one round with kPilotWork took pilot_s. What does not shrink with the work
// is taken for some that does: rather one round too many.
double FitWork(double pilot_s, double left_s);

// A training with that part of the work: whole epochs where it is at least one, else one epoch of
// the first samples.
struct Amount {
  size_t epochs = 1;
  size_t samples = 1;
};
Amount AmountOf(double work, size_t epochs, size_t samples);

// The first n samples, or all if there are no more.
data::Examples FirstSamples(const data::Examples& examples, size_t n);

}  // namespace mlp::experiments
