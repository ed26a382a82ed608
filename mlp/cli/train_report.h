// What `mlp train` tells while it runs and at its end: a bar, a table, or a JSON document.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mlp/base/timer.h"
#include "mlp/cli/console.h"
#include "mlp/cli/train_flags.h"
#include "mlp/data/dataset.h"
#include "mlp/engine/layerwise.h"
#include "mlp/flags/progress.h"
#include "mlp/train/callback.h"
#include "mlp/train/evaluate.h"
#include "mlp/train/trainer.h"

namespace mlp::cli {

// Also where Ctrl-C reaches the trainer.
class TrainReport final : public train::Callback {
 public:
  // The trainer is about to begin, or to go on.
  TrainReport(const TrainFlags& flags, const TrainPlan& plan, const data::Dataset& dataset,
              const train::Trainer& trainer);

  train::Next OnStep(const train::StepSummary& step) override;
  train::Next OnEpoch(const train::EpochSummary& epoch) override;

  // Takes the bar away.
  void FinishProgress() { progress_.Finish(); }

  // Of this session, and their time.
  size_t steps() const { return steps_; }
  double step_seconds() const { return step_seconds_; }

  // The last words on stdout. Test is empty where training was interrupted; the profile is null
  // where none was asked for.
  void Finish(const std::optional<train::Evaluation>& test, bool interrupted, const Json& profile);

 private:
  Json Document(const std::optional<train::Evaluation>& test, bool interrupted,
                const Json& profile) const;

  const TrainFlags& flags_;
  const TrainPlan& plan_;
  const data::Dataset& dataset_;
  const train::Trainer& trainer_;
  flags::Progress progress_;
  Timer timer_;
  double next_draw_s_ = 0;
  int64_t samples_done_ = 0;  // in this session
  engine::StepResult sum_;    // of this epoch in this session
  size_t steps_ = 0;
  double step_seconds_ = 0;
  std::vector<train::EpochSummary> epochs_;
};

}  // namespace mlp::cli
