#include "experiments/harness/summary.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "analysis/statistics.h"
#include "analysis/value.h"
#include "mlp/record/json.h"

namespace mlp::experiments {
namespace {

using analysis::Median;

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
    if (const auto value = analysis::ValueOf(*run, path)) values.push_back(*value);
  }
  return values;
}

struct Line {
  std::vector<std::string> cells;
  std::string note = "";  // stands behind them
};

// The first column left-aligned, the others right-aligned.
std::string Aligned(const std::vector<Line>& lines) {
  // A unit may have letters of two bytes.
  const auto letters = [](const std::string& cell) {
    return static_cast<size_t>(
        std::ranges::count_if(cell, [](char c) { return (c & 0xC0) != 0x80; }));
  };
  std::vector<size_t> widths;
  for (const auto& [cells, note] : lines) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (size_t j = 0; j < cells.size(); ++j) widths[j] = std::max(widths[j], letters(cells[j]));
  }
  std::string text;
  for (const auto& [cells, note] : lines) {
    for (size_t j = 0; j < cells.size(); ++j) {
      const std::string space(widths[j] - letters(cells[j]), ' ');
      absl::StrAppend(&text, "  ", j == 0 ? cells[j] + space : space + cells[j]);
    }
    absl::StrAppend(&text, note.empty() ? "" : "  ", note, "\n");
  }
  return text;
}

Line LineOf(const record::Record& record, const record::View& view, const std::string& variant) {
  const std::vector<const record::RunRecord*> runs = RunsOf(record, view, variant);
  const std::vector<double> values = ValuesOf(runs, view.primary);
  Line line = {{variant}};
  for (const record::RunRecord* run : runs) {
    if (run->status == record::RunStatus::kOk) continue;
    line.note = absl::StrCat(record::Name(run->status), ": ", run->message);
  }
  if (values.empty()) return line;
  const analysis::Summary summary = analysis::Summarize(values);
  const auto show = [&](double value) { return analysis::FormatValue(view.primary, value); };
  // Of one run there is none.
  const std::string deviation = summary.n > 1 ? show(summary.deviation) : "-";
  line.cells.insert(line.cells.end(), {show(summary.median), show(summary.mean), deviation,
                                       show(summary.min), show(summary.max)});
  line.cells.push_back(absl::StrCat(values.size()));
  for (const std::string& path : OtherColumns(view)) {
    const std::vector<double> others = ValuesOf(runs, path);
    line.cells.push_back(others.empty() ? "-" : analysis::FormatValue(path, Median(others)));
  }
  return line;
}

}  // namespace

std::string SummaryText(const record::Record& record, const std::string& path,
                        const Outcome& outcome) {
  std::vector<record::View> views = record.presentation.groups;
  if (views.empty()) views.push_back(record.presentation.all);
  std::string text;
  for (const record::View& view : views) {
    absl::StrAppend(&text, view.title.empty() ? record.experiment : view.title, ": ",
                    analysis::Label(view.primary), "\n");
    std::vector<Line> lines = {{{"", "median", "mean", "sd", "min", "max", "runs"}}};
    for (const std::string& column : OtherColumns(view)) {
      lines.front().cells.push_back(analysis::Label(column));
    }
    for (const std::string& variant : view.variants) {
      lines.push_back(LineOf(record, view, variant));
    }
    text += Aligned(lines);
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
