// What a run is given: the data, and the settings of its repetition.
#pragma once

#include <algorithm>
#include <cstdint>

#include "mlp/data/dataset.h"
#include "mlp/model/spec.h"
#include "mlp/train/trainer.h"

namespace mlp::experiments {

class Session {
 public:
  // `work` is the part of timings that is measured; of the dataset and of options.epochs it is the
  // part that is to be done already (harness/work.h).
  Session(const data::Dataset& dataset, const model::ModelSpec& model,
          const train::TrainOptions& options, int repetition, bool smoke, double work = 1)
      : dataset_(dataset),
        model_(model),
        options_(options),
        repetition_(repetition),
        smoke_(smoke),
        timed_part_(std::max(work, kLeastTimedPart)) {
    options_.seed += static_cast<uint64_t>(repetition);
  }

  const data::Dataset& dataset() const { return dataset_; }
  const model::ModelSpec& model() const { return model_; }
  int repetition() const { return repetition_; }
  // Of the initial weights and the order of the samples.
  uint64_t seed() const { return options_.seed; }
  int threads() const { return options_.strategy.threads; }

  // What the flags say, with this repetition's seed.
  const train::TrainOptions& DefaultTrainOptions() const { return options_; }

  // n, or very few in a smoke run.
  size_t Steps(size_t n) const { return smoke_ ? std::min<size_t>(n, 3) : n; }
  bool smoke() const { return smoke_; }

  // Of `whole`, seconds or steps, how many to time.
  double Timed(double whole) const { return timed_part_ * whole; }

 private:
  // Shorter ones would be all clock and warm-up.
  static constexpr double kLeastTimedPart = 0.25;

  const data::Dataset& dataset_;
  const model::ModelSpec& model_;
  train::TrainOptions options_;
  int repetition_;
  bool smoke_;
  double timed_part_;
};

}  // namespace mlp::experiments
