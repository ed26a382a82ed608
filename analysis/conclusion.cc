// What a table's numbers say, and no more than its intervals and its A/A pair support.
#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "analysis/claim.h"
#include "analysis/markdown.h"
#include "analysis/table.h"
#include "analysis/value.h"

namespace mlp::analysis {
namespace {

// Smaller effects are not claimed, however well they repeat: nobody needs them, and in three digits
// they look like none.
constexpr double kLeastEffect = 0.01;
constexpr double kLeastPoints = 0.01;
// An A/A pair that says no more than this is worth a warning.
constexpr double kLoudNoise = 0.1;

// The estimate for -x.
Estimate Negative(const Estimate& estimate) {
  return {.value = -estimate.value, .low = -estimate.high, .high = -estimate.low, .n = estimate.n};
}

// "`fast` is 14.2x (13.9 to 14.6) as fast as `slow`".
std::string Comparison(const Table& table, const Row& row) {
  const record::View& view = table.view;
  const std::string variant = VariantName(table, row);
  const std::string baseline = Code(view.baseline);
  const std::string label = EscapeMarkdown(Label(view.primary));
  if (table.by_difference) {
    const bool is_range = !row.difference->HasInterval();
    if (is_range && row.difference->low == 0 && row.difference->high == 0) {
      return absl::StrCat("the ", label, " of ", variant, " equals that of ", baseline,
                          " in every run");
    }
    const bool higher = row.difference->value >= 0;
    return absl::StrCat(
        "the ", label, " of ", variant, " is ",
        FormatDifference(view.primary, higher ? *row.difference : Negative(*row.difference)),
        higher ? " higher" : " lower", " than that of ", baseline);
  }
  if (IsSpeed(view.primary)) {
    return absl::StrCat(variant, " is ", FormatRatio(*row.speedup), " as fast as ", baseline);
  }
  const Estimate ratio = *view.higher_is_better ? *row.speedup : Inverse(*row.speedup);
  return absl::StrCat(variant, " has ", FormatRatio(ratio), " the ", label, " of ", baseline);
}

// How much better than the baseline: above 0 is better.
Estimate Gain(const Table& table, const Row& row) {
  if (table.by_difference) {
    return *table.view.higher_is_better ? *row.difference : Negative(*row.difference);
  }
  Estimate gain = *row.speedup;
  // As far from 0 for half as fast as for twice as fast.
  for (double* value : {&gain.value, &gain.low, &gain.high}) {
    *value = *value >= 1 ? *value - 1 : 1 - 1 / *value;
  }
  return gain;
}

// Variants to compare, best first. Whose result nobody has checked may have computed anything.
std::vector<const Row*> Compared(const Table& table) {
  std::vector<const Row*> rows;
  for (const Row& row : table.rows) {
    const bool has_value =
        table.by_difference ? row.difference.has_value() : row.speedup.has_value();
    if (has_value && row.checked && !table.IsBaseline(row) && !table.IsAgain(row)) {
      rows.push_back(&row);
    }
  }
  std::ranges::stable_sort(rows, std::greater(),
                           [&](const Row* row) { return Gain(table, *row).value; });
  return rows;
}

// The first letter is not one of a variant's name.
std::string Sentence(std::string text) {
  if (text.starts_with("the ")) text[0] = 'T';
  return text + ".";
}

// Where nothing stands beside the baseline.
std::string WhyNoneCompared(const Table& table) {
  const bool others = std::ranges::any_of(table.rows, [&](const Row& row) {
    return row.ok > 0 && !table.IsBaseline(row) && !table.IsAgain(row);
  });
  if (!others) return "Nothing to compare: only the baseline has finished runs.";
  const std::string label = EscapeMarkdown(Label(table.view.primary));
  const bool any_positive = std::ranges::any_of(table.rows, [&](const Row& row) {
    return std::ranges::any_of(SampleValues(row, table.view.primary),
                               [](double value) { return value > 0; });
  });
  if (!table.by_difference && !any_positive) {
    return absl::StrCat("Nothing to compare: no ", label, " is above 0.");
  }
  return absl::StrCat("Nothing to compare: no other variant has a checked ", label,
                      table.by_difference ? "" : " above 0",
                      " in a repetition that the baseline finished, too.");
}

std::string Comparisons(const Table& table) {
  const Row* baseline = table.Find(table.view.baseline);
  if (baseline == nullptr || !baseline->primary) {
    return absl::StrCat("Nothing to compare with: the baseline ", Code(table.view.baseline),
                        baseline == nullptr || baseline->ok == 0
                            ? " has no finished run here."
                            : absl::StrCat(" has no value ", Code(table.view.primary), "."));
  }
  const std::vector<const Row*> rows = Compared(table);
  if (rows.empty()) return WhyNoneCompared(table);
  const Row& best = *rows.front();
  const Row& worst = *rows.back();
  const bool all_have_intervals =
      std::ranges::all_of(rows, [&](const Row* row) { return Gain(table, *row).HasInterval(); });
  if (!all_have_intervals) {
    return absl::StrCat("Too few repetitions for a claim (an interval takes ", kMinForInterval,
                        "): by the median alone, ", Comparison(table, best),
                        rows.size() > 1 ? absl::StrCat("; ", Comparison(table, worst)) : "", ".");
  }
  // An effect has to be larger than what two runs of the same thing show.
  const double noise = std::max(
      table.smallest_effect.value_or(0),
      table.by_difference ? kLeastPoints / ScaleFor(table.view.primary, 1).factor : kLeastEffect);
  std::vector<std::string> parts;
  if (Gain(table, best).low > noise) parts.push_back(Comparison(table, best));
  if (Gain(table, worst).high < -noise) parts.push_back(Comparison(table, worst));
  if (parts.empty()) {
    return absl::StrCat("No variant is shown to differ from ", Code(table.view.baseline),
                        rows.size() == 1 ? absl::StrCat(": ", Comparison(table, best)) : "", ".");
  }
  return Sentence(absl::StrJoin(parts, "; "));
}

std::string Noise(const Table& table) {
  if (table.repeats_exactly) {
    return " Runs with equal seeds agree to the last bit (A/A): only the seeds vary.";
  }
  if (table.smallest_effect) {
    const double effect = *table.smallest_effect;
    if (table.by_difference) {
      return absl::StrCat(" Differences below ", FormatPoints(table.view.primary, effect),
                          " are noise here (A/A).");
    }
    std::string text =
        absl::StrCat(" Effects below ", FormatEffect(effect), " are noise here (A/A).");
    const Estimate& again = *table.Find(table.view.baseline_again)->speedup;
    if (again.low > 1 + kLeastEffect || again.high < 1 / (1 + kLeastEffect)) {
      absl::StrAppend(&text, " Warning: run twice, the baseline is ", FormatRatio(again),
                      " as good as itself: the order of runs or something beside them mattered.");
    } else if (effect > kLoudNoise) {
      text += " Warning: so noisy a machine hides what is smaller.";
    }
    return text;
  }
  const Row* again = table.Find(table.view.baseline_again);
  if (again != nullptr && again->speedup) return "";  // Too few repetitions: said already.
  // What varies in a metric is the seed, and that the intervals tell.
  if (!IsSpeed(table.view.primary)) return "";
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

// Who is left out of the headline.
std::string Unchecked(const Table& table) {
  std::vector<std::string> names;
  for (const Row& row : table.rows) {
    if (!row.checked && row.ok > 0) names.push_back(Code(row.variant));
  }
  if (names.empty()) return "";
  return absl::StrCat(
      " Left out here, as nobody has checked what came of them: ", absl::StrJoin(names, ", "), ".");
}

}  // namespace

std::string Headline(const Table& table) {
  std::vector<std::string> claims;
  for (const record::Claim& claim : table.view.claims) {
    const std::string sentence = ClaimSentence(table, claim);
    if (!sentence.empty()) claims.push_back(sentence);
  }
  return claims.empty() ? Comparisons(table) : absl::StrJoin(claims, " ");
}

std::string Conclusion(const Table& table) {
  return absl::StrCat(Headline(table), Unchecked(table), Noise(table), Failures(table));
}

}  // namespace mlp::analysis
