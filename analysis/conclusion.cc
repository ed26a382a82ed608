// What a table's numbers say, and no more than its intervals and its A/A pair support.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "analysis/markdown.h"
#include "analysis/table.h"
#include "analysis/value.h"

namespace mlp::analysis {
namespace {

// "`fast` is 14.2x (13.9 to 14.6) as fast as `slow`".
std::string Comparison(const Table& table, const Row& row) {
  const record::View& view = table.view;
  const std::string variant = Code(row.variant);
  const std::string baseline = Code(view.baseline);
  if (IsSpeed(view.primary)) {
    return absl::StrCat(variant, " is ", FormatRatio(*row.speedup), " as fast as ", baseline);
  }
  const Estimate ratio = *view.higher_is_better ? *row.speedup : Inverse(*row.speedup);
  return absl::StrCat(variant, " has ", FormatRatio(ratio), " the ",
                      EscapeMarkdown(Label(view.primary)), " of ", baseline);
}

// Variants to compare, best first.
std::vector<const Row*> Compared(const Table& table) {
  std::vector<const Row*> rows;
  for (const Row& row : table.rows) {
    if (row.speedup && !table.IsBaseline(row) && !table.IsAgain(row)) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row* a, const Row* b) {
    return a->speedup->value > b->speedup->value;
  });
  return rows;
}

std::string Comparisons(const Table& table) {
  const Row* baseline = table.Find(table.view.baseline);
  if (baseline == nullptr || !baseline->primary) {
    return absl::StrCat("Nothing to compare with: the baseline ", Code(table.view.baseline),
                        " has no finished run here.");
  }
  const std::vector<const Row*> rows = Compared(table);
  if (rows.empty()) return "Nothing to compare: only the baseline has finished runs.";
  const bool all_have_intervals = std::all_of(
      rows.begin(), rows.end(), [](const Row* row) { return row->speedup->HasInterval(); });
  if (!all_have_intervals) {
    return absl::StrCat("Too few repetitions for a claim (an interval takes ", kMinForInterval,
                        "): by the median alone, ", Comparison(table, *rows.front()), ".");
  }
  // An effect has to be larger than what two runs of the same thing show.
  const double noise = 1 + table.smallest_effect.value_or(0);
  const Row& best = *rows.front();
  const Row& worst = *rows.back();
  std::vector<std::string> parts;
  if (best.speedup->low > noise) parts.push_back(Comparison(table, best));
  if (worst.speedup->high < 1 / noise) {
    parts.push_back(Comparison(table, worst));
  }
  if (parts.empty()) {
    return absl::StrCat("No variant is shown to differ from ", Code(table.view.baseline),
                        rows.size() == 1 ? absl::StrCat(": ", Comparison(table, best)) : "", ".");
  }
  return absl::StrCat(absl::StrJoin(parts, "; "), ".");
}

std::string Noise(const Table& table) {
  if (table.smallest_effect) {
    return absl::StrCat(" Effects below ", FormatEffect(*table.smallest_effect),
                        " are noise here (A/A).");
  }
  const Row* again = table.Find(table.view.baseline_again);
  if (again != nullptr && again->speedup) return "";  // Too few repetitions: said already.
  return " No A/A pair was run: how small an effect may be believed is not known.";
}

std::string Failures(const Table& table) {
  std::vector<std::string> failed, skipped;
  for (const Row& row : table.rows) {
    if (row.failed > 0) failed.push_back(Code(row.variant));
    if (row.skipped > 0) skipped.push_back(Code(row.variant));
  }
  std::string text;
  if (!failed.empty()) absl::StrAppend(&text, " Failed: ", absl::StrJoin(failed, ", "), ".");
  if (!skipped.empty()) absl::StrAppend(&text, " Skipped: ", absl::StrJoin(skipped, ", "), ".");
  return text;
}

}  // namespace

std::string Conclusion(const Table& table) {
  return absl::StrCat(Comparisons(table), Noise(table), Failures(table));
}

}  // namespace mlp::analysis
