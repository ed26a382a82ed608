// What a short measurement of this machine decides: the instruction set, the number of threads, and
// below which density zero pixels are worth skipping. Threads and skipping change no bits; the
// instruction set does, as --isa does, and model files keep it. Shards and precision, which say
// what is computed, are never measured.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mlp/base/isa.h"
#include "mlp/train/strategies/strategy.h"

namespace mlp::tune {

// One way to train the reference job.
struct Candidate {
  Isa isa = BestIsa();
  int threads = 1;
  bool skip_zeros = false;
  double density = 1;  // part of the pixels that are not 0

  bool operator==(const Candidate&) const = default;
};

struct Timing {
  Candidate candidate;
  double step_s = 0;  // the shortest: others on the machine only ever lengthen a step
};

struct Tuning {
  Isa isa = BestIsa();
  int threads = 1;
  double skip_below = train::StrategyOptions().skip_below;
  // Whether the machine was quiet enough to tell; else all of the above is what it is untuned.
  bool steady = true;
  std::vector<Timing> timings = {};  // what it follows from
};

// "avx512, 2 threads, zero pixels skipped below a density of 0.41".
std::string Text(const Tuning& tuning);

struct Space {
  std::vector<Isa> isas;  // slowest first; the last one is the default
  int threads = 1;        // the default, and the most
};

// A few steps of one candidate.
struct Sample {
  double step_s = 0;
  bool disturbed = false;  // a thread had to give its CPU to somebody else meanwhile
};
using Measure = std::function<Sample(const Candidate&)>;

// Measures in turn, the candidates of one question in each round, until `budget_s` is used up by
// `clock_s`, and decides. What is not clearly better than the default is not taken.
Tuning Tune(const Space& space, const Measure& measure, const std::function<double()>& clock_s,
            double budget_s);

}  // namespace mlp::tune
