#include "analysis/compare.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "analysis/aggregate.h"
#include "analysis/markdown.h"
#include "analysis/table.h"
#include "analysis/value.h"
#include "mlp/base/check.h"
#include "mlp/record/json.h"
#include "mlp/record/keys.h"

namespace mlp::analysis {
namespace {

using record::Json;

absl::string_view Name(Verdict verdict, bool is_speed) {
  switch (verdict) {
    case Verdict::kNoSlower:
      return is_speed ? "no slower" : "no worse";
    case Verdict::kSlower:
      return is_speed ? "slower" : "worse";
    case Verdict::kTooNoisy:
      return "too noisy to say";
  }
  MLP_CHECK(false);
}

// The verdict, and where there is none, why.
std::string Reason(const Comparison& comparison) {
  if (comparison.verdict == Verdict::kTooNoisy) {
    if (!comparison.after) return "not measured again";
    if (!comparison.other_work.empty()) {
      return absl::StrCat("other work (", comparison.other_work, ")");
    }
    if (comparison.cost && !comparison.cost->HasInterval()) {
      return absl::StrCat("too few runs (", std::min(comparison.before->n, comparison.after->n),
                          ") for an interval");
    }
  }
  return std::string(Name(comparison.verdict, IsSpeed(comparison.primary)));
}

absl::string_view OverallName(const std::vector<Comparison>& comparisons) {
  const bool all_speed = std::ranges::all_of(
      comparisons, [](const Comparison& comparison) { return IsSpeed(comparison.primary); });
  return Name(Overall(comparisons), all_speed);
}

std::string CostText(const Comparison& comparison) {
  if (!comparison.cost) return "-";
  if (!comparison.by_difference) return FormatRatio(*comparison.cost);
  return FormatDifference(comparison.primary, *comparison.cost);
}

const Row* FindRow(const std::vector<Table>& tables, const std::string& group,
                   const std::string& variant) {
  for (const Table& table : tables) {
    if (table.view.name == group) return table.Find(variant);
  }
  return nullptr;
}

bool AllPositive(const std::vector<double>& values) {
  return !values.empty() &&
         std::all_of(values.begin(), values.end(), [](double value) { return value > 0; });
}

// What became of one variant.
void Judge(const Row& before, const Row* after, bool higher_is_better, const Thresholds& thresholds,
           Comparison* comparison) {
  if (after == nullptr) return;
  std::vector<double> old_values = SampleValues(before, comparison->primary);
  std::vector<double> new_values = SampleValues(*after, comparison->primary);
  if (new_values.empty()) {
    comparison->verdict = after->failed > 0 ? Verdict::kSlower : Verdict::kTooNoisy;
    return;
  }
  comparison->after = MedianEstimate(new_values);
  if (!comparison->other_work.empty()) return;
  const std::vector<double>& more = higher_is_better ? old_values : new_values;
  const std::vector<double>& less = higher_is_better ? new_values : old_values;
  double most = 1 + thresholds.ratio;
  if (comparison->by_difference) {
    comparison->cost = UnpairedDifference(more, less);
    most = thresholds.points / ScaleFor(comparison->primary, 1).factor;
  } else {
    if (!AllPositive(old_values) || !AllPositive(new_values)) return;
    comparison->cost = UnpairedRatio(more, less);
  }
  if (!comparison->cost->HasInterval()) return;
  if (comparison->cost->low > most) comparison->verdict = Verdict::kSlower;
  if (comparison->cost->high <= most) comparison->verdict = Verdict::kNoSlower;
}

// In which part of what keys::kChosen names the two differ; "" if in nothing.
std::string OtherWork(const record::Record& before, const record::Record& after) {
  for (const char* key : record::keys::kChosen) {
    const std::string was = before.ConfigText(key), is = after.ConfigText(key);
    // Timed parts alone are of any length.
    if (absl::string_view(key) == "work" || was.empty() || is.empty() || was == is) continue;
    return absl::StrCat(key, " ", was, ", now ", is);
  }
  return "";
}

bool SameSetup(const record::Record& a, const record::Record& b) {
  return a.experiment == b.experiment && SetupName(a) == SetupName(b);
}

// Its numbers times `factor`.
Json EstimateJson(const std::optional<Estimate>& estimate, double factor = 1) {
  if (!estimate) return nullptr;
  return {{"median", factor * estimate->value},
          {"low", factor * estimate->low},
          {"high", factor * estimate->high},
          {"n", estimate->n}};
}

}  // namespace

std::vector<Comparison> Compare(std::vector<LoadedRecord> before, std::vector<LoadedRecord> after,
                                const Thresholds& thresholds) {
  std::vector<Comparison> comparisons;
  const std::vector<Series> all_after = NewestFirst(std::move(after));
  for (const Series& old_series : NewestFirst(std::move(before))) {
    const record::Record& old_record = old_series.newest.record;
    std::vector<Table> new_tables;
    std::string other_work;
    for (const Series& new_series : all_after) {
      if (SameSetup(old_record, new_series.newest.record)) {
        new_tables = Aggregate(new_series.newest.record);
        other_work = OtherWork(old_record, new_series.newest.record);
      }
    }
    for (const Table& table : Aggregate(old_record)) {
      for (const Row& row : table.rows) {
        if (!row.primary) continue;  // It had no value before: nothing can have become worse.
        Comparison comparison{.experiment = old_record.experiment,
                              .setup = SetupName(old_record),
                              .group = table.view.name,
                              .variant = row.variant,
                              .primary = table.view.primary,
                              .before = row.primary,
                              .after = std::nullopt,
                              .by_difference = table.by_difference,
                              .cost = std::nullopt,
                              .other_work = IsSpeed(table.view.primary) ? "" : other_work};
        Judge(row, FindRow(new_tables, table.view.name, row.variant), *table.view.higher_is_better,
              thresholds, &comparison);
        comparisons.push_back(std::move(comparison));
      }
    }
  }
  return comparisons;
}

Verdict Overall(const std::vector<Comparison>& comparisons) {
  Verdict overall = Verdict::kNoSlower;
  for (const Comparison& comparison : comparisons) {
    if (comparison.verdict == Verdict::kSlower) return Verdict::kSlower;
    if (comparison.verdict == Verdict::kTooNoisy) overall = Verdict::kTooNoisy;
  }
  return overall;
}

int ExitCode(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNoSlower:
      return 0;
    case Verdict::kSlower:
      return 1;
    case Verdict::kTooNoisy:
      return 3;
  }
  MLP_CHECK(false);
}

std::string ComparisonMarkdown(const std::vector<Comparison>& comparisons,
                               const Thresholds& thresholds) {
  std::vector<std::vector<std::string>> rows;
  for (const Comparison& c : comparisons) {
    std::string variant = Code(c.variant);
    if (!c.group.empty()) variant = absl::StrCat(EscapeMarkdown(c.group), ": ", variant);
    rows.push_back({EscapeMarkdown(absl::StrCat(c.experiment, ", ", c.setup)), variant,
                    EscapeMarkdown(Label(c.primary)), FormatValue(c.primary, c.before->value),
                    c.after ? FormatValue(c.primary, c.after->value) : "-", CostText(c),
                    Reason(c)});
  }
  return absl::StrCat(
      MarkdownTable({"Experiment", "Variant", "Value", "Before", "After", "Cost", "Verdict"},
                    "lllrrrl", rows),
      "\n", OverallName(comparisons),
      " (cost above 1, of percentages above 0 points, is worse; threshold ",
      FormatEffect(thresholds.ratio), ", of percentages ", Digits(thresholds.points, 2),
      " points)\n");
}

std::string ComparisonJson(const std::vector<Comparison>& comparisons,
                           const Thresholds& thresholds) {
  Json rows = Json::array();
  for (const Comparison& c : comparisons) {
    rows.push_back(
        {{"experiment", c.experiment},
         {"setup", c.setup},
         {"group", c.group},
         {"variant", c.variant},
         {"primary", c.primary},
         {"before", EstimateJson(c.before)},
         {"after", EstimateJson(c.after)},
         {"cost_unit", c.by_difference ? "points" : "ratio"},
         {"cost", EstimateJson(c.cost, c.by_difference ? ScaleFor(c.primary, 1).factor : 1)},
         {"verdict", Reason(c)}});
  }
  const Json json = {{"verdict", std::string(OverallName(comparisons))},
                     {"threshold_pct", 100 * thresholds.ratio},
                     {"threshold_points", thresholds.points},
                     {"comparisons", std::move(rows)}};
  return record::Dump(json, 1) + "\n";
}

}  // namespace mlp::analysis
