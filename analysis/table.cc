#include "analysis/table.h"

#include <utility>

#include "absl/strings/ascii.h"
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

// "540 k/s (530 to 550)", all in the unit of the first; a range that is no interval stands in
// brackets.
std::string FormatMedian(const std::string& path, const Estimate& estimate) {
  const std::string value = FormatValue(path, estimate.value);
  if (estimate.n < 2) return value;
  const Scale scale = ScaleFor(path, estimate.value);
  const std::string range =
      absl::StrCat(FormatNumber(scale, estimate.low), " to ", FormatNumber(scale, estimate.high));
  return estimate.HasInterval() ? absl::StrCat(value, " (", range, ")")
                                : absl::StrCat(value, " \\[", range, "\\]");
}

std::string VariantCell(const Table& table, const Row& row) {
  std::string cell = Code(row.variant);
  if (table.IsBaseline(row)) cell += " (baseline)";
  if (table.IsAgain(row)) cell += " (A/A)";
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

// "97.70 \u00b1 0.12 % (97.55 to 97.88)"
std::string ColumnCell(const std::string& path, const std::optional<Summary>& summary) {
  if (!summary) return "-";
  if (summary->n < 2 || summary->min == summary->max) return FormatValue(path, summary->mean);
  const Scale scale = ScaleFor(path, summary->mean);
  return absl::StrCat(FormatNumber(scale, summary->mean), " \u00b1 ",
                      FormatNumber(scale, summary->deviation), scale.suffix, " (",
                      FormatNumber(scale, summary->min), " to ", FormatNumber(scale, summary->max),
                      ")");
}

}  // namespace

std::string FormatRatio(const Estimate& estimate) {
  const std::string value = absl::StrCat(Digits(estimate.value, 3), "x");
  if (estimate.n < 2) return value;
  return absl::StrCat(value, estimate.HasInterval() ? " (" : " \\[", Digits(estimate.low, 3),
                      " to ", Digits(estimate.high, 3), estimate.HasInterval() ? ")" : "\\]");
}

std::string FormatEffect(double effect) { return absl::StrCat(Digits(100 * effect, 2), " %"); }

std::string TableMarkdown(const Table& table) {
  const std::string& primary = table.view.primary;
  const bool is_speed = IsSpeed(primary);
  const bool has_baseline = table.Find(table.view.baseline) != nullptr;
  bool shows_status = false;
  bool has_range = false;
  bool has_deviation = false;
  for (const Row& row : table.rows) {
    shows_status |= row.failed + row.skipped > 0;
    has_range |= row.primary && row.primary->n > 1 && !row.primary->HasInterval();
    for (const auto& column : row.columns) has_deviation |= column && column->min != column->max;
  }

  std::vector<std::string> head = {"Variant", "n", EscapeMarkdown(Capital(Label(primary))), "Best"};
  if (has_baseline) head.push_back(is_speed ? "Speed-up" : "Gain");
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
    std::vector<std::string> cells = {VariantCell(table, row),
                                      absl::StrCat(row.primary ? row.primary->n : 0),
                                      row.primary ? FormatMedian(primary, *row.primary) : "-",
                                      row.best ? FormatValue(primary, *row.best) : "-"};
    if (has_baseline) {
      cells.push_back(!row.speedup ? "-" : table.IsBaseline(row) ? "1" : FormatRatio(*row.speedup));
    }
    for (size_t i = 0; i < row.columns.size(); ++i) {
      cells.push_back(ColumnCell(table.view.columns[i], row.columns[i]));
    }
    if (shows_status) cells.push_back(StatusCell(row));
    rows.push_back(std::move(cells));
  }

  std::string text =
      absl::StrCat(MarkdownTable(head, alignment, rows), "\n*Medians of n repetitions");
  absl::StrAppend(&text, has_range ? absl::StrCat("; in brackets their range, as fewer than ",
                                                  kMinForInterval, " give no 95 % interval")
                                   : " with 95 % bootstrap intervals");
  if (has_baseline) {
    absl::StrAppend(&text, "; ", is_speed ? "speed-ups" : "gains",
                    " from repetitions that ran side by side, above 1 is better");
  }
  if (has_deviation) absl::StrAppend(&text, "; other columns: mean \u00b1 standard deviation");
  return absl::StrCat(text, ".*\n");
}

}  // namespace mlp::analysis
