#include "analysis/aggregate.h"

#include <algorithm>
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
  }
}

std::optional<Estimate> SpeedUp(const Row& row, const Row& baseline, const record::View& view) {
  const auto mine = Samples(row, view.primary);
  const auto theirs = Samples(baseline, view.primary);
  std::vector<double> numerators, denominators;
  for (const auto& [key, value] : mine) {
    const auto pair = theirs.find(key);
    if (pair == theirs.end() || value <= 0 || pair->second <= 0) continue;
    numerators.push_back(value);
    denominators.push_back(pair->second);
  }
  if (numerators.empty()) return std::nullopt;
  if (!*view.higher_is_better) numerators.swap(denominators);
  return PairedRatio(numerators, denominators);
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

  const Row* baseline = table.Find(view.baseline);
  for (Row& row : table.rows) {
    Count(row);
    row.primary = EstimateOf(row, view.primary);
    const std::vector<double> values = SampleValues(row, view.primary);
    if (!values.empty()) {
      row.best = *view.higher_is_better ? *std::max_element(values.begin(), values.end())
                                        : *std::min_element(values.begin(), values.end());
    }
    if (baseline != nullptr) row.speedup = SpeedUp(row, *baseline, view);
    for (const std::string& path : view.columns) {
      const std::vector<double> column = SampleValues(row, path);
      row.columns.push_back(column.empty() ? std::nullopt : std::optional(Summarize(column)));
    }
  }
  const Row* again = table.Find(view.baseline_again);
  if (again != nullptr && again->speedup) table.smallest_effect = SmallestEffect(*again->speedup);
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
