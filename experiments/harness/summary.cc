#include "experiments/harness/summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mlp/base/check.h"
#include "mlp/record/json.h"

namespace mlp::experiments {
namespace {

std::string KeyOf(const std::string& path) { return path.substr(path.find('.') + 1); }

// Of timings or metrics, by a path such as "timings.step_s".
std::optional<double> ValueOf(const record::RunRecord& run, const std::string& path) {
  const std::string key = KeyOf(path);
  if (absl::StartsWith(path, "timings.")) {
    const auto found = run.timings.find(key);
    if (found == run.timings.end() || found->second.empty()) return std::nullopt;
    return Median(found->second);
  }
  const auto found = run.metrics.find(key);
  if (found == run.metrics.end()) return std::nullopt;
  return found->second;
}

// The view's further columns that are numbers of every run.
std::vector<std::string> OtherColumns(const record::View& view) {
  std::vector<std::string> columns = view.columns;
  std::erase_if(columns, [](const std::string& path) {
    return !absl::StartsWith(path, "timings.") && !absl::StartsWith(path, "metrics.");
  });
  return columns;
}

// The variant's runs in this view.
std::vector<const record::RunRecord*> RunsOf(const record::Record& record, const record::View& view,
                                             const std::string& variant) {
  std::vector<const record::RunRecord*> runs;
  for (const record::RunRecord& run : record.runs) {
    if (run.Group() == view.name && run.variant == variant) runs.push_back(&run);
  }
  return runs;
}

// Of those runs that went well and have one.
std::vector<double> ValuesOf(const std::vector<const record::RunRecord*>& runs,
                             const std::string& path) {
  std::vector<double> values;
  for (const record::RunRecord* run : runs) {
    if (run->status != record::RunStatus::kOk) continue;
    if (const auto value = ValueOf(*run, path)) values.push_back(*value);
  }
  return values;
}

// The median, right-aligned below its heading.
std::string Cell(const std::vector<double>& values, const std::string& path) {
  const auto width = static_cast<int>(std::max<size_t>(11, KeyOf(path).size()));
  if (values.empty()) return absl::StrFormat(" %*s", width, "-");
  return absl::StrFormat(" %*.5g", width, Median(values));
}

std::string Row(const record::Record& record, const record::View& view,
                const std::string& variant) {
  const std::vector<const record::RunRecord*> runs = RunsOf(record, view, variant);
  const std::vector<double> values = ValuesOf(runs, view.primary);
  std::string problem;
  for (const record::RunRecord* run : runs) {
    if (run->status == record::RunStatus::kOk) continue;
    problem = absl::StrCat(record::Name(run->status), ": ", run->message);
  }
  if (values.empty()) return absl::StrFormat("  %-28s %s\n", variant, problem);
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  std::string row =
      absl::StrFormat("  %-28s %11.6g %11.6g %11.2g %11.6g %11.6g %5d", variant, Median(values),
                      mean, n > 1 ? std::sqrt(squares / (n - 1)) : 0.0, *min, *max, values.size());
  for (const std::string& path : OtherColumns(view)) {
    absl::StrAppend(&row, Cell(ValuesOf(runs, path), path));
  }
  return absl::StrCat(row, problem.empty() ? "" : "  ", problem, "\n");
}

}  // namespace

double Median(std::vector<double> values) {
  MLP_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string SummaryText(const record::Record& record, const std::string& path,
                        const Outcome& outcome) {
  std::vector<record::View> views = record.presentation.groups;
  if (views.empty()) views.push_back(record.presentation.all);
  std::string text;
  for (const record::View& view : views) {
    absl::StrAppend(&text, view.title.empty() ? record.experiment : view.title, ": ", view.primary,
                    "\n");
    absl::StrAppendFormat(&text, "  %-28s %11s %11s %11s %11s %11s %5s", "", "median", "mean", "sd",
                          "min", "max", "runs");
    for (const std::string& path : OtherColumns(view)) {
      absl::StrAppendFormat(&text, " %11s", KeyOf(path));
    }
    absl::StrAppend(&text, "\n");
    for (const std::string& variant : view.variants) {
      absl::StrAppend(&text, Row(record, view, variant));
    }
  }
  absl::StrAppend(&text, "rounds: ", outcome.rounds, "\nrecord: ", path, "\n");
  return text;
}

std::string SummaryJson(const record::Record& record, const std::string& path,
                        const Outcome& outcome) {
  return absl::StrCat(record::Dump({{"experiment", record.experiment},
                                    {"record", path},
                                    {"rounds", outcome.rounds},
                                    {"runs", record.runs.size()},
                                    {"failed", outcome.failed},
                                    {"skipped", outcome.skipped}},
                                   1),
                      "\n");
}

}  // namespace mlp::experiments
