// The flags that every experiment has, and what they come to.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "experiments/harness/output.h"
#include "mlp/data/load.h"
#include "mlp/flags/flags.h"
#include "mlp/model/spec.h"
#include "mlp/train/trainer.h"
#include "mlp/tune/tuning.h"

namespace mlp::experiments {

struct Options {
  data::Source source;
  std::string model = "784-128-128-128-10";
  size_t epochs = 5;
  size_t batch_size = 64;
  std::string optimizer = "adam";
  double learning_rate = 1e-3;
  uint64_t seed = 1;

  int threads = 0;
  std::string backend = "auto";
  std::string isa = "auto";
  std::string math = "fast";

  double work = 0;        // part of the whole that each run does; 0: chosen
  int repetitions = 0;    // 0: as many complete rounds as the budget has room for
  double budget_s = 60;   // of measuring; one complete round is run in any case
  int max_rounds = 50;    // set by the experiment: more would not say more
  double max_gate_s = 1;  // longest wait for a free machine before one run
  bool smoke = false;
  bool resume = false;

  OutputOptions output;
};

// Registers them all, but for those in `omitted`: what an experiment itself varies, or has no use
// for. Unless it is about any data, --data takes what stands in the options and nothing else.
void AddFlags(flags::Flags& flags, const std::set<std::string>& omitted, bool any_data,
              Options* options);

// What the text in the options means.
struct Setup {
  model::ModelSpec model;
  train::TrainOptions train;           // Its seed is that of the first repetition.
  std::optional<tune::Tuning> tuning;  // what `mlp tune` left, which train follows
};

// InvalidArgument names the flag.
absl::StatusOr<Setup> Resolve(const Options& options);

// Less of everything: an experiment in seconds, to see that it works.
void Shrink(Options* options);

}  // namespace mlp::experiments
