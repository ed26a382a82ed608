#include "analysis/aggregate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "analysis/value.h"
#include "mlp/record/keys.h"

namespace mlp::analysis {
namespace {

namespace keys = record::keys;
using record::RunRecord;
using record::RunStatus;

constexpr char kEpochMetric[] = "metrics.epoch";
constexpr char kCheckedParam[] = "params.checked";

template <class T>
bool Contains(const std::vector<T>& items, const T& item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

// The value to compare by where the record does not say: the first of the usual ones, else the
// first timing, else the first metric.
std::string DefaultPrimary(const std::vector<Row>& rows) {
  std::set<std::string> timings, metrics;
  for (const Row& row : rows) {
    for (const RunRecord& run : row.runs) {
      for (const auto& [key, values] : run.timings) timings.insert(key);
      for (const auto& [key, value] : run.metrics) metrics.insert(key);
    }
  }
  for (const char* usual : {"samples_per_s", "epoch_s", "step_s"}) {
    if (timings.contains(usual)) return absl::StrCat(keys::kTimings, ".", usual);
  }
  if (!timings.empty()) return absl::StrCat(keys::kTimings, ".", *timings.begin());
  if (!metrics.empty()) return absl::StrCat(keys::kMetrics, ".", *metrics.begin());
  return absl::StrCat(keys::kTimings, ".epoch_s");
}

// All metrics that some run has, the primary one left out.
std::vector<std::string> DefaultColumns(const std::vector<Row>& rows, const std::string& primary) {
  std::set<std::string> paths;
  for (const Row& row : rows) {
    for (const RunRecord& run : row.runs) {
      for (const auto& [key, value] : run.metrics) {
        paths.insert(absl::StrCat(keys::kMetrics, ".", key));
      }
    }
  }
  paths.erase(primary);
  return {paths.begin(), paths.end()};
}

// Rows in the view's order, then in that of their first runs.
std::vector<Row> RowsOf(const record::Record& record, const record::View& view) {
  std::vector<std::string> order;
  std::map<std::string, Row> rows;
  for (const RunRecord& run : record.runs) {
    if (run.Group() != view.name) continue;
    if (!Contains(order, run.variant)) order.push_back(run.variant);
    Row& row = rows[run.variant];
    row.variant = run.variant;
    row.runs.push_back(run);
  }
  const auto rank = [&view](const std::string& variant) {
    return std::find(view.variants.begin(), view.variants.end(), variant) - view.variants.begin();
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  std::vector<Row> result;
  for (const std::string& variant : order) result.push_back(std::move(rows[variant]));
  return result;
}

void Count(Row& row) {
  std::stable_sort(row.runs.begin(), row.runs.end(), [](const RunRecord& a, const RunRecord& b) {
    return std::pair(a.repetition, a.seed) < std::pair(b.repetition, b.seed);
  });
  for (const RunRecord& run : row.runs) {
    row.ok += run.status == RunStatus::kOk;
    row.failed += run.status == RunStatus::kFailed;
    row.skipped += run.status == RunStatus::kSkipped;
    if (run.status != RunStatus::kOk && row.message.empty()) row.message = run.message;
    row.checked &= TextOf(run, kCheckedParam) != "false";
  }
}

// The primary values of both from repetitions that both finished.
struct Pairs {
  std::vector<double> mine;
  std::vector<double> theirs;
};

Pairs PairsOf(const Row& row, const Row& baseline, const record::View& view) {
  const auto theirs = Samples(baseline, view.primary);
  Pairs pairs;
  for (const auto& [key, value] : Samples(row, view.primary)) {
    const auto pair = theirs.find(key);
    if (pair == theirs.end()) continue;
    pairs.mine.push_back(value);
    pairs.theirs.push_back(pair->second);
  }
  return pairs;
}

std::optional<Estimate> SpeedUp(const Pairs& pairs, bool higher_is_better) {
  std::vector<double> numerators, denominators;
  for (size_t i = 0; i < pairs.mine.size(); ++i) {
    if (pairs.mine[i] <= 0 || pairs.theirs[i] <= 0) continue;
    numerators.push_back(pairs.mine[i]);
    denominators.push_back(pairs.theirs[i]);
  }
  if (numerators.empty()) return std::nullopt;
  if (!higher_is_better) numerators.swap(denominators);
  return PairedRatio(numerators, denominators);
}

void CompareWith(const Row& baseline, const Table& table, Row& row) {
  const Pairs pairs = PairsOf(row, baseline, table.view);
  row.speedup = SpeedUp(pairs, *table.view.higher_is_better);
  if (table.by_difference && !pairs.mine.empty()) {
    row.difference = PairedDifference(pairs.mine, pairs.theirs);
  }
}

void CompareAgain(const Row& again, Table& table) {
  const Pairs pairs = PairsOf(again, *table.Find(table.view.baseline), table.view);
  table.repeats_exactly = !pairs.mine.empty() && pairs.mine == pairs.theirs;
  if (!table.by_difference) {
    if (again.speedup) table.smallest_effect = SmallestEffect(*again.speedup);
  } else if (again.difference && again.difference->HasInterval()) {
    table.smallest_effect =
        std::max(std::abs(again.difference->low), std::abs(again.difference->high));
  }
}

bool IsOneTraining(const std::vector<Row>& rows) {
  return std::ranges::any_of(rows, [](const Row& row) {
    const std::vector<double> epochs = SampleValues(row, kEpochMetric);
    return !epochs.empty() &&
           std::ranges::adjacent_find(epochs, std::ranges::greater_equal()) == epochs.end() &&
           epochs.size() > 1;
  });
}

std::optional<Summary> ColumnOf(const Row& row, const std::string& path, bool last_alone) {
  std::vector<double> values = SampleValues(row, path);
  if (values.empty()) return std::nullopt;
  if (last_alone) values.erase(values.begin(), values.end() - 1);
  return Summarize(values);
}

Table TableOf(const record::Record& record, const std::string& group) {
  Table table;
  table.view = record.presentation.ForGroup(group);
  record::View& view = table.view;
  table.rows = RowsOf(record, view);
  if (view.baseline.empty() && !table.rows.empty()) view.baseline = table.rows[0].variant;
  if (view.primary.empty()) view.primary = DefaultPrimary(table.rows);
  if (!view.higher_is_better) view.higher_is_better = HigherIsBetter(view.primary);
  if (view.columns.empty()) view.columns = DefaultColumns(table.rows, view.primary);
  if (view.plots.empty()) view.plots.push_back({.kind = "bars"});

  for (Row& row : table.rows) Count(row);
  table.by_difference = IsPercentage(view.primary);
  table.one_training = IsOneTraining(table.rows);
  const Row* baseline = table.Find(view.baseline);
  for (Row& row : table.rows) {
    row.primary = EstimateOf(row, view.primary);
    const std::vector<double> values = SampleValues(row, view.primary);
    if (!values.empty()) {
      row.best = *view.higher_is_better ? *std::max_element(values.begin(), values.end())
                                        : *std::min_element(values.begin(), values.end());
    }
    if (baseline != nullptr) CompareWith(*baseline, table, row);
    for (const std::string& path : view.columns) {
      const bool is_metric = absl::StartsWith(path, absl::StrCat(keys::kMetrics, "."));
      row.columns.push_back(ColumnOf(row, path, table.one_training && is_metric));
    }
  }
  const Row* again = table.Find(view.baseline_again);
  if (baseline != nullptr && again != nullptr) CompareAgain(*again, table);
  return table;
}

}  // namespace

const Row* Table::Find(const std::string& variant) const {
  for (const Row& row : rows) {
    if (row.variant == variant) return &row;
  }
  return nullptr;
}

std::map<std::pair<int, uint64_t>, double> Samples(const Row& row, const std::string& path) {
  std::map<std::pair<int, uint64_t>, double> samples;
  for (const RunRecord& run : row.runs) {
    if (run.status != RunStatus::kOk) continue;
    if (const auto value = ValueOf(run, path)) samples[{run.repetition, run.seed}] = *value;
  }
  return samples;
}

std::vector<double> SampleValues(const Row& row, const std::string& path) {
  std::vector<double> values;
  for (const auto& [key, value] : Samples(row, path)) values.push_back(value);
  return values;
}

std::optional<Estimate> EstimateOf(const Row& row, const std::string& path) {
  const std::vector<double> values = SampleValues(row, path);
  if (values.empty()) return std::nullopt;
  return MedianEstimate(values);
}

std::string ThreadsMark(const Table& table, const Row& row) {
  constexpr char kThreads[] = "params.threads";
  const Row* baseline = table.Find(table.view.baseline);
  if (baseline == nullptr || !Contains(table.view.columns, std::string(kThreads))) return "";
  const std::optional<Estimate> mine = EstimateOf(row, kThreads);
  const std::optional<Estimate> theirs = EstimateOf(*baseline, kThreads);
  if (!mine || !theirs || mine->value >= theirs->value) return "";
  return absl::StrCat(" (", mine->value, mine->value == 1 ? " thread)" : " threads)");
}

std::vector<Table> Aggregate(const record::Record& record) {
  std::vector<std::string> groups;
  for (const record::View& view : record.presentation.groups) {
    if (!Contains(groups, view.name)) groups.push_back(view.name);
  }
  for (const RunRecord& run : record.runs) {
    if (!Contains(groups, run.Group())) groups.push_back(run.Group());
  }
  std::vector<Table> tables;
  for (const std::string& group : groups) {
    Table table = TableOf(record, group);
    if (!table.rows.empty()) tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace mlp::analysis
