#include "experiments/harness/rounds.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mlp/base/rng.h"
#include "mlp/base/status_macros.h"
#include "mlp/record/keys.h"

namespace mlp::experiments {
namespace {

using record::RunRecord;
using record::RunStatus;

struct Entry {
  const Table* table;
  const Variant* variant;
};

RunRecord StartRun(const Entry& entry, const RoundOptions& options, int round) {
  RunRecord run;
  run.variant = entry.variant->name;
  run.params = entry.variant->params;
  if (!entry.table->view().name.empty()) {
    run.params[record::keys::kGroupParam] = entry.table->view().name;
  }
  run.seed = options.seed + static_cast<uint64_t>(round);
  run.repetition = round;
  return run;
}

std::string Label(const RunRecord& run) {
  return run.Group().empty() ? run.variant : absl::StrCat(run.Group(), ": ", run.variant);
}

// Of the whole run. 0 where it has none, as a skipped one.
double SecondsOf(const RunRecord& run) {
  const auto seconds = run.timings.find(record::keys::kRunSeconds);
  return seconds == run.timings.end() || seconds->second.empty() ? 0 : seconds->second.front();
}

// The order of a round depends on the seed and the round alone.
std::vector<Entry> OrderOf(const std::vector<Table>& tables, uint64_t seed, int round) {
  std::vector<Entry> entries;
  for (size_t t = 0; t < tables.size(); ++t) {
    const std::vector<Variant>& variants = tables[t].variants();
    std::vector<uint32_t> order(variants.size());
    std::iota(order.begin(), order.end(), 0);
    Stream stream(seed, Purpose::kSchedule, static_cast<uint32_t>(round), static_cast<uint32_t>(t));
    Shuffle(stream, order);
    for (const uint32_t i : order) entries.push_back({&tables[t], &variants[i]});
  }
  return entries;
}

}  // namespace

absl::StatusOr<Outcome> RunRounds(const std::vector<Table>& tables, const RoundOptions& options,
                                  const RoundHooks& hooks, record::RecordWriter& writer) {
  Outcome outcome;
  std::set<std::pair<std::string, std::string>> out;  // {group, variant} that failed
  std::map<int, double> earlier_s;                    // What was spent on each round before.
  double spent_s = 0;
  for (const RunRecord& run : writer.finished()) {
    earlier_s[run.repetition] += SecondsOf(run);
    spent_s += SecondsOf(run);
    if (run.status != RunStatus::kFailed) continue;
    out.insert({run.Group(), run.variant});
    outcome.failed.push_back(Label(run));
  }
  const double begin = hooks.clock_s();
  double longest_round = 0;
  for (int round = 0;; ++round) {
    const double round_begin = hooks.clock_s();
    const double expected_end = spent_s + round_begin - begin + longest_round;
    if (options.repetitions > 0) {
      if (round >= options.repetitions) break;
    } else if (round > 0 && !earlier_s.contains(round) &&
               (round >= options.max_rounds || expected_end > options.budget_s)) {
      break;
    }
    const std::vector<Entry> order = OrderOf(tables, options.seed, round);
    for (size_t i = 0; i < order.size(); ++i) {
      const Entry& entry = order[i];
      RunRecord run = StartRun(entry, options, round);
      const bool skipped = !entry.variant->skipped.empty();
      outcome.skipped += skipped && round == 0;
      if (writer.IsFinished(run) || out.contains({run.Group(), run.variant})) continue;
      if (skipped) {
        if (round > 0) continue;
        run.status = RunStatus::kSkipped;
        run.message = entry.variant->skipped;
        MLP_RETURN_IF_ERROR(writer.Append(std::move(run)));
        continue;
      }
      if (hooks.interrupted()) {
        outcome.interrupted = true;
        return outcome;
      }
      hooks.announce(round, i, order.size(), *entry.variant);
      const double run_begin = hooks.clock_s();
      const absl::Status status = hooks.measure(*entry.variant, run);
      run.timings[record::keys::kRunSeconds] = {hooks.clock_s() - run_begin};
      if (!status.ok()) {
        run.status = RunStatus::kFailed;
        run.message = std::string(status.message());
        out.insert({run.Group(), run.variant});
        outcome.failed.push_back(Label(run));
      }
      MLP_RETURN_IF_ERROR(writer.Append(std::move(run)));
    }
    outcome.rounds = round + 1;
    longest_round = std::max(longest_round, hooks.clock_s() - round_begin + earlier_s[round]);
    if (out.size() + outcome.skipped == order.size()) break;  // Nothing is left to measure.
  }
  outcome.over_budget =
      options.repetitions == 0 && spent_s + hooks.clock_s() - begin > options.budget_s;
  return outcome;
}

}  // namespace mlp::experiments
