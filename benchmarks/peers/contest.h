// A contest at one batch size: everyone is started, trains a first epoch unmeasured and is checked
// against our own trainer; then everyone is measured in turn.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "benchmarks/peers/contenders.h"
#include "benchmarks/peers/process.h"
#include "benchmarks/peers/protocol.h"
#include "benchmarks/peers/verdict.h"
#include "experiments/harness/table.h"
#include "mlp/record/record.h"

namespace mlp::peers {

struct ContestOptions {
  InitRequest job;
  Samples samples;  // of the job's data
  int rounds = 7;
  // Of one turn. What others leave in the caches slows the first down: data that fit the last level
  // are read from there by the next ones.
  size_t turn_epochs = 3;
  // Peers that are clearly faster with one thread than with job.threads get one.
  bool fit_threads = true;
  double timeout_s = 600;  // of one request
  // Waits for a quiet machine; what it saw goes into the run.
  std::function<void(record::RunRecord&)> gate = [](record::RunRecord&) {};
  // For a line to the user about who is being prepared.
  std::function<void(const std::string&)> say = [](const std::string&) {};
};

class Contest {
 public:
  // The first contender is the baseline, and once more "... (again)". All have different names.
  Contest(ContestOptions options, std::vector<Contender> contenders);

  // Trains the baseline for all epochs to know what is expected, then starts and checks everyone.
  // What is wrong with one of them becomes its row. An error: the baseline failed, or Cancelled.
  absl::Status Prepare();

  // After Prepare: one variant, without a body, for each contender.
  experiments::Table MakeTable() const;

  // One turn of the contender with that name. An error: it died, hung or talked nonsense.
  absl::Status Measure(const std::string& name, record::RunRecord& run);

 private:
  struct Entrant {
    Contender contender;
    std::unique_ptr<Process> process;
    InitAnswer about;
    size_t epochs = 0;
    std::string skipped;  // not installed, or struck out
    absl::Status failed;  // died, hung, talked nonsense
  };

  struct Turn {
    std::vector<double> epoch_s;
    Figures last;  // after its last epoch
  };

  absl::StatusOr<Turn> Train(Entrant& entrant, size_t epochs) const;
  absl::Status Start(Entrant& entrant, int threads) const;
  absl::Status Expect();
  absl::Status Prepare(Entrant& entrant);
  absl::Status FitThreads(Entrant& entrant);
  void Describe(const Entrant& entrant, record::RunRecord& run) const;

  // Ctrl-C ends the preparation at once, but lets an epoch that is measured end.
  absl::StatusOr<Json> Call(Entrant& entrant, const Json& request) const;

  const ContestOptions options_;
  bool preparing_ = true;
  std::vector<Entrant> entrants_;
  std::vector<Figures> expected_;  // after each epoch
};

// How a record shows the contest at this batch size.
record::View MakeView(size_t batch_size, const std::string& baseline,
                      const std::vector<Contender>& contenders);

// All threads and one train so many epochs in turn, where they are compared; the best ones count.
inline constexpr uint32_t kTrialEpochs = 3;

// How many epochs the job's order has to have: the first is never measured.
constexpr uint32_t EpochsFor(int rounds, size_t turn_epochs) {
  return 1 +
         std::max(static_cast<uint32_t>(rounds) * static_cast<uint32_t>(turn_epochs), kTrialEpochs);
}

// The name of the A/A pair's second.
std::string Again(const std::string& baseline);

}  // namespace mlp::peers
