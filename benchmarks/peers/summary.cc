#include "benchmarks/peers/summary.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "analysis/aggregate.h"
#include "analysis/statistics.h"

namespace mlp::peers {
namespace {

constexpr char kEpoch[] = "timings.epoch_s";

// Median of row / reference from rounds that both finished.
std::optional<analysis::Estimate> Ratio(const analysis::Row& row, const analysis::Row& reference) {
  const auto theirs = analysis::Samples(row, kEpoch);
  const auto ours = analysis::Samples(reference, kEpoch);
  std::vector<double> numerators, denominators;
  for (const auto& [round, value] : theirs) {
    const auto found = ours.find(round);
    if (found == ours.end()) continue;
    numerators.push_back(value);
    denominators.push_back(found->second);
  }
  if (numerators.empty()) return std::nullopt;
  return analysis::PairedRatio(numerators, denominators);
}

std::string RatioText(const std::optional<analysis::Estimate>& ratio) {
  if (!ratio) return "-";
  if (ratio->n < 2) return absl::StrFormat("%.2f", ratio->value);
  // A range of few rounds is no interval, and stands in other brackets.
  return ratio->HasInterval()
             ? absl::StrFormat("%.2f (%.2f-%.2f)", ratio->value, ratio->low, ratio->high)
             : absl::StrFormat("%.2f [%.2f-%.2f]", ratio->value, ratio->low, ratio->high);
}

// Of all finished runs, times `factor`.
std::string MedianText(const analysis::Row& row, const std::string& path, double factor,
                       int decimals) {
  const std::vector<double> values = analysis::SampleValues(row, path);
  if (values.empty()) return "-";
  return absl::StrFormat("%.*f", decimals, factor * analysis::Median(values));
}

std::string Versions(const analysis::Row& row) {
  const record::RunRecord& run = row.runs.back();
  if (run.params.contains("checked")) return "result not checked";
  return absl::StrJoin(run.resolved, ", ", absl::PairFormatter(" "));
}

std::string Row(const analysis::Table& table, const analysis::Row& row,
                const std::vector<std::string>& ours) {
  std::string text = absl::StrFormat(
      "  %-20s %7s %9s %9s", row.variant, MedianText(row, "params.threads", 1, 0),
      MedianText(row, kEpoch, 1e3, 1), row.best ? absl::StrFormat("[%.1f]", *row.best * 1e3) : "-");
  for (const std::string& name : ours) {
    const analysis::Row* reference = table.Find(name);
    const bool itself = name == row.variant;
    absl::StrAppendFormat(&text, " %20s",
                          itself                 ? "1"
                          : reference == nullptr ? "-"
                                                 : RatioText(Ratio(row, *reference)));
  }
  absl::StrAppendFormat(&text, " %9s %7s %8s  %s\n", MedianText(row, "timings.predict_s", 1e6, 1),
                        MedianText(row, "metrics.rss_bytes", 0x1p-20, 0),
                        MedianText(row, "metrics.test_accuracy", 100, 2), Versions(row));
  return text;
}

// Who was struck out, failed or is not there, with the reason.
std::string Out(const analysis::Row& row) {
  return absl::StrFormat("  %-20s %s%s\n", row.variant, row.failed > 0 ? "failed: " : "",
                         row.message);
}

}  // namespace

std::string SummaryText(const record::Record& record, const std::vector<std::string>& ours) {
  std::string text;
  for (const analysis::Table& table : analysis::Aggregate(record)) {
    size_t rounds = 0;
    for (const analysis::Row& row : table.rows) rounds = std::max(rounds, row.ok);
    absl::StrAppendFormat(&text, "%s, %d rounds: time of an epoch, and as a multiple of ours\n",
                          table.view.title, rounds);
    absl::StrAppendFormat(&text, "  %-20s %7s %9s %9s", "", "threads", "ms", "[best]");
    for (const std::string& name : ours) absl::StrAppendFormat(&text, " %20s", "x " + name);
    absl::StrAppendFormat(&text, " %9s %7s %8s  %s\n", "1 row, us", "RSS MiB", "test %",
                          "versions");
    std::string out;
    for (const analysis::Row& row : table.rows) {
      if (row.failed + row.skipped > 0) {
        absl::StrAppend(&out, Out(row));
      } else {
        absl::StrAppend(&text, Row(table, row, ours));
      }
    }
    absl::StrAppend(&text, out, "\n");
  }
  return text;
}

}  // namespace mlp::peers
