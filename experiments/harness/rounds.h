// The order of measuring: rounds, in each of which every variant of every table runs once, in a
// random order. So all variants see the same good and bad minutes of the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "experiments/harness/table.h"
#include "mlp/record/writer.h"

namespace mlp::experiments {

struct RoundOptions {
  int repetitions = 0;  // 0: as many rounds as the budget has room for, one at least
  int max_rounds = 50;
  double budget_s = 60;  // The time of the writer's finished runs is spent already.
  uint64_t seed = 1;     // of repetition 0, and of the order
};

struct RoundHooks {
  std::function<double()> clock_s;
  std::function<bool()> interrupted;
  // Runs the variant; repetition and seed stand in `run`. How long it took becomes timings.run_s.
  std::function<absl::Status(const Variant&, record::RunRecord& run)> measure;
  // Before each run, for a progress bar: run `index` of `total` in this round comes next.
  std::function<void(int round, size_t index, size_t total, const Variant&)> announce;
};

struct Outcome {
  int rounds = 0;  // complete ones, those of a resumed record included
  std::vector<std::string> failed;
  size_t skipped = 0;  // variants
  bool interrupted = false;
  bool over_budget = false;  // rounds were run for which the budget had no room
};

// Runs what the writer does not have yet and appends it. A round that was begun is completed. A
// variant that fails is out of the later rounds, the others go on; a skipped one has one row. An
// error is one of writing.
absl::StatusOr<Outcome> RunRounds(const std::vector<Table>& tables, const RoundOptions& options,
                                  const RoundHooks& hooks, record::RecordWriter& writer);

}  // namespace mlp::experiments
