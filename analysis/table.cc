#include "analysis/table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "analysis/markdown.h"
#include "analysis/value.h"

namespace mlp::analysis {
namespace {

std::string Capital(std::string text) {
  if (!text.empty()) text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
  return text;
}

// " (530 to 550)"; a range that is no interval stands in brackets.
std::string RangeText(const Estimate& estimate, const std::string& low, const std::string& high) {
  if (estimate.n < 2) return "";
  return estimate.HasInterval() ? absl::StrCat(" (", low, " to ", high, ")")
                                : absl::StrCat(" \\[", low, " to ", high, "\\]");
}

std::string VariantCell(const Table& table, const Row& row) {
  std::string cell = VariantName(table, row);
  if (table.IsBaseline(row)) cell += " (baseline)";
  if (table.IsAgain(row)) cell += " (A/A)";
  if (!row.checked) cell += " (not checked)";
  return cell;
}

// "ok 3, failed 1: no memory"
std::string StatusCell(const Row& row) {
  std::string cell;
  const auto add = [&cell](size_t count, const char* name) {
    if (count > 0) absl::StrAppend(&cell, cell.empty() ? "" : ", ", count, " ", name);
  };
  add(row.ok, "ok");
  add(row.failed, "failed");
  add(row.skipped, "skipped");
  if (!row.message.empty()) absl::StrAppend(&cell, ": ", EscapeMarkdown(row.message));
  return cell;
}

// "97.70 \u00b1 0.12 % (97.55 to 97.88)"; of deviations the median; "5 of 6" where some runs lack
// it.
std::string ColumnCell(const std::string& path, const std::optional<Summary>& summary, size_t ok) {
  if (!summary) {
    // An aim that no run came to, not a value that the variant has none of.
    const bool is_missed = ok > 0 && absl::StartsWith(KeyOf(path), "time_to_");
    return is_missed ? absl::StrCat("0 of ", ok) : "-";
  }
  const double center = IsDeviation(path) ? summary->median : summary->mean;
  const double spread = IsDeviation(path) ? 0 : summary->deviation;
  Scale scale = ScaleFor(path, std::max(std::abs(center), spread));
  if (scale.decimals <= 0 && summary->min != summary->max && !IsDeviation(path)) {
    // What is small beside the rest needs no digits of its own.
    scale.decimals = DecimalsFor(scale.factor * std::max(std::abs(center), spread), 3);
  }
  const auto number = [&](double value) { return FormatNumber(scale, value); };
  std::string cell = number(center);
  if (number(summary->min) != number(summary->max)) {
    if (!IsDeviation(path)) absl::StrAppend(&cell, " \u00b1 ", number(spread));
    absl::StrAppend(&cell, scale.suffix, " (", number(summary->min), " to ", number(summary->max),
                    ")");
  } else {
    cell += scale.suffix;
  }
  if (summary->n > 1 && summary->n < ok) absl::StrAppend(&cell, ", ", summary->n, " of ", ok);
  return cell;
}

}  // namespace

std::string VariantName(const Table& table, const Row& row) {
  return Code(row.variant) + ThreadsMark(table, row);
}

std::string FormatMedian(const std::string& path, const Estimate& estimate) {
  const Scale scale = ScaleFor(path, estimate.value);
  return absl::StrCat(
      FormatValue(path, estimate.value),
      RangeText(estimate, FormatNumber(scale, estimate.low), FormatNumber(scale, estimate.high)));
}

std::string FormatDifference(const std::string& path, const Estimate& estimate) {
  const auto number = [&path](double value) {
    const std::string text = FormatPoints(path, value);
    return text.substr(0, text.find(' '));
  };
  return absl::StrCat(FormatPoints(path, estimate.value),
                      RangeText(estimate, number(estimate.low), number(estimate.high)));
}

std::string FormatRatio(const Estimate& estimate) {
  return absl::StrCat(Digits(estimate.value, 3), "x",
                      RangeText(estimate, Digits(estimate.low, 3), Digits(estimate.high, 3)));
}

std::string FormatEffect(double effect) { return absl::StrCat(Digits(100 * effect, 2), " %"); }

std::string TableMarkdown(const Table& table) {
  const std::string& primary = table.view.primary;
  const bool is_speed = IsSpeed(primary);
  const bool has_baseline = table.Find(table.view.baseline) != nullptr;
  bool shows_status = false;
  bool has_interval = false;
  bool has_range = false;
  bool has_mean = false;
  bool has_median = false;
  bool has_missing = false;
  bool has_unchecked = false;
  for (const Row& row : table.rows) {
    shows_status |= row.failed + row.skipped > 0;
    has_unchecked |= !row.checked;
    for (const std::optional<Estimate>& shown : {row.primary, row.speedup, row.difference}) {
      if (!shown) continue;
      has_interval |= shown->HasInterval();
      has_range |= shown->n > 1 && !shown->HasInterval();
    }
    for (size_t i = 0; i < row.columns.size(); ++i) {
      const std::optional<Summary>& column = row.columns[i];
      if (!column || column->min == column->max) continue;
      (IsDeviation(table.view.columns[i]) ? has_median : has_mean) = true;
      has_missing |= column->n < row.ok;
    }
  }

  // The best of a metric is that of the luckiest seed.
  std::vector<std::string> head = {"Variant", "n", EscapeMarkdown(Capital(Label(primary)))};
  if (is_speed) head.push_back("Best");
  const char* const comparison = table.by_difference ? "Difference"
                                 : is_speed          ? "Speed-up"
                                                     : "Gain";
  if (has_baseline) head.push_back(comparison);
  for (const std::string& path : table.view.columns) {
    head.push_back(EscapeMarkdown(Capital(Label(path))));
  }
  std::string alignment = "l" + std::string(head.size() - 1, 'r');
  if (shows_status) {
    head.push_back("Status");
    alignment += 'l';
  }

  std::vector<std::vector<std::string>> rows;
  for (const Row& row : table.rows) {
    // What has no primary value, as a roof, still has been run.
    std::vector<std::string> cells = {VariantCell(table, row),
                                      absl::StrCat(row.primary ? row.primary->n : row.ok),
                                      row.primary ? FormatMedian(primary, *row.primary) : "-"};
    if (is_speed) cells.push_back(row.best ? FormatValue(primary, *row.best) : "-");
    if (has_baseline) {
      const bool is_baseline = table.IsBaseline(row);
      if (table.by_difference) {
        cells.push_back(!row.difference ? "-"
                        : is_baseline   ? "0"
                                        : FormatDifference(primary, *row.difference));
      } else {
        cells.push_back(!row.speedup ? "-" : is_baseline ? "1" : FormatRatio(*row.speedup));
      }
    }
    for (size_t i = 0; i < row.columns.size(); ++i) {
      cells.push_back(ColumnCell(table.view.columns[i], row.columns[i], row.ok));
    }
    if (shows_status) cells.push_back(StatusCell(row));
    rows.push_back(std::move(cells));
  }

  std::string text =
      absl::StrCat(MarkdownTable(head, alignment, rows), "\n*Medians of n repetitions");
  if (has_interval) text += " with 95 % bootstrap intervals";
  if (has_range || !has_interval) {
    absl::StrAppend(&text,
                    has_range ? "; in brackets their range, as fewer than " : "; fewer than ",
                    kMinForInterval, " give no 95 % interval");
  }
  if (has_baseline && table.by_difference) {
    text += "; differences from the baseline, from repetitions that ran side by side";
  } else if (has_baseline) {
    absl::StrAppend(&text, "; ", is_speed ? "speed-ups" : "gains",
                    " from repetitions that ran side by side, above 1 is better");
  }
  if (has_mean) text += "; other columns: mean \u00b1 standard deviation (range)";
  if (has_median) {
    absl::StrAppend(&text, has_mean ? ", of deviations and errors " : "; other columns: ",
                    "the median (range)");
  }
  if (has_missing) text += "; \"k of n\": only so many runs came to it, the others are left out";
  if (table.one_training) {
    text +=
        "; losses and accuracies are those after the last round: each goes on with one training";
  }
  if (has_unchecked) text += "; not checked: it tells times, but no loss or accuracy";
  return absl::StrCat(text, ".*\n");
}

}  // namespace mlp::analysis
