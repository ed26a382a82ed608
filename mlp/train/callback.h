// What training tells while it runs, and how it is asked to stop.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>

#include "mlp/engine/layerwise.h"
#include "mlp/train/evaluate.h"

namespace mlp::train {

// A step, or several where these are too short to be told of one by one.
struct StepSummary {
  size_t epoch;  // from 1
  size_t step;   // the last of them; from 1, within the epoch
  size_t steps_per_epoch;
  double seconds;             // of all of them, gather included
  engine::StepResult result;  // likewise
  size_t steps = 1;
};

struct EpochSummary {
  size_t epoch = 0;      // from 1
  bool complete = true;  // false where a callback ended it early
  double seconds = 0;    // of its steps, shuffle and gather included, evaluation not
  size_t steps = 0;
  size_t samples = 0;
  double learning_rate = 0;   // of its last step
  double train_loss = 0;      // mean over the samples, each at the weights that it met
  double train_accuracy = 0;  // likewise
  std::optional<Evaluation> validation;

  double samples_per_second() const { return static_cast<double>(samples) / seconds; }
};

enum class Next { kContinue, kStop };

// Called between steps and epochs, on the thread that called the trainer.
class Callback {
 public:
  virtual ~Callback() = default;
  // How many steps may be taken until it must hear of them, with `step` steps of the epoch done: at
  // least 1. Short ones are faster if many are taken at once.
  virtual size_t StepsAtOnce(size_t /*step*/, size_t /*steps_per_epoch*/) const {
    return std::numeric_limits<size_t>::max();
  }
  virtual Next OnStep(const StepSummary&) { return Next::kContinue; }
  virtual Next OnEpoch(const EpochSummary&) { return Next::kContinue; }
};

}  // namespace mlp::train
