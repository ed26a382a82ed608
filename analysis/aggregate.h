// From runs to rows: one table for each group of variants in a record, one row a variant.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/statistics.h"
#include "mlp/record/record.h"

namespace mlp::analysis {

struct Row {
  std::string variant;
  std::vector<record::RunRecord> runs;  // All of this variant, by repetition and seed.
  size_t ok = 0;
  size_t failed = 0;
  size_t skipped = 0;
  std::string message;  // Of the first run that is not ok.
  bool checked = true;  // params.checked is not false: its result was compared with others'.
  std::optional<Estimate> primary;
  std::optional<double> best;
  // How many times as good as the baseline, from repetitions that both finished: above 1 is better,
  // whatever the direction of the primary value.
  std::optional<Estimate> speedup;
  // The primary value less the baseline's, likewise; where the table is by_difference.
  std::optional<Estimate> difference;
  std::vector<std::optional<Summary>> columns;  // One for each of the view's columns.
};

struct Table {
  record::View view;  // With baseline, primary, direction, columns and plots filled in.
  std::vector<Row> rows;
  // Percentages are compared by their difference: as a ratio 97.9 % to 97.1 % says little.
  bool by_difference = false;
  // From the A/A pair: 0.013 is 1.3 %; where the table is by_difference, in the primary's unit.
  std::optional<double> smallest_effect;
  bool repeats_exactly = false;  // The A/A pair agrees to the last bit.
  // Rounds are epochs of one training (metrics.epoch grows from run to run): columns of metrics
  // hold what came out after the last one.
  bool one_training = false;

  bool IsBaseline(const Row& row) const { return row.variant == view.baseline; }
  bool IsAgain(const Row& row) const { return row.variant == view.baseline_again; }
  const Row* Find(const std::string& variant) const;
};

// Groups in the presentation's order, then in that of their first runs. A group without runs has no
// table.
std::vector<Table> Aggregate(const record::Record& record);

// The value at `path` of each finished run, keyed by (repetition, seed).
std::map<std::pair<int, uint64_t>, double> Samples(const Row& row, const std::string& path);

// The same without keys, in their order.
std::vector<double> SampleValues(const Row& row, const std::string& path);

// " (1 thread)" where the table shows threads and the row has fewer than the baseline, else "".
std::string ThreadsMark(const Table& table, const Row& row);

// The median of what the path names over the finished runs.
std::optional<Estimate> EstimateOf(const Row& row, const std::string& path);

}  // namespace mlp::analysis
