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

absl::string_view Name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNoSlower:
      return "no slower";
    case Verdict::kSlower:
      return "slower";
    case Verdict::kTooNoisy:
      return "too noisy to say";
  }
  MLP_CHECK(false);
}

// The verdict, and where there is none, why.
std::string Reason(const Comparison& comparison) {
  if (comparison.verdict == Verdict::kTooNoisy) {
    if (!comparison.after) return "not measured again";
    if (comparison.cost && !comparison.cost->HasInterval()) {
      return absl::StrCat("too few runs (", std::min(comparison.before->n, comparison.after->n),
                          ") for an interval");
    }
  }
  return std::string(Name(comparison.verdict));
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
void Judge(const Row& before, const Row* after, bool higher_is_better, double threshold,
           Comparison* comparison) {
  if (after == nullptr) return;
  std::vector<double> old_values = SampleValues(before, comparison->primary);
  std::vector<double> new_values = SampleValues(*after, comparison->primary);
  if (new_values.empty()) {
    comparison->verdict = after->failed > 0 ? Verdict::kSlower : Verdict::kTooNoisy;
    return;
  }
  comparison->after = MedianEstimate(new_values);
  if (!AllPositive(old_values) || !AllPositive(new_values)) return;
  comparison->cost = higher_is_better ? UnpairedRatio(old_values, new_values)
                                      : UnpairedRatio(new_values, old_values);
  if (!comparison->cost->HasInterval()) return;
  if (comparison->cost->low > 1 + threshold) comparison->verdict = Verdict::kSlower;
  if (comparison->cost->high <= 1 + threshold) comparison->verdict = Verdict::kNoSlower;
}

bool SameSetup(const record::Record& a, const record::Record& b) {
  return a.experiment == b.experiment && SetupName(a) == SetupName(b);
}

Json EstimateJson(const std::optional<Estimate>& estimate) {
  if (!estimate) return nullptr;
  return {{"median", estimate->value},
          {"low", estimate->low},
          {"high", estimate->high},
          {"n", estimate->n}};
}

}  // namespace

std::vector<Comparison> Compare(std::vector<LoadedRecord> before, std::vector<LoadedRecord> after,
                                double threshold) {
  std::vector<Comparison> comparisons;
  const std::vector<Series> all_after = NewestFirst(std::move(after));
  for (const Series& old_series : NewestFirst(std::move(before))) {
    const record::Record& old_record = old_series.newest.record;
    std::vector<Table> new_tables;
    for (const Series& new_series : all_after) {
      if (SameSetup(old_record, new_series.newest.record)) {
        new_tables = Aggregate(new_series.newest.record);
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
                              .cost = std::nullopt};
        Judge(row, FindRow(new_tables, table.view.name, row.variant), *table.view.higher_is_better,
              threshold, &comparison);
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

std::string ComparisonMarkdown(const std::vector<Comparison>& comparisons, double threshold) {
  std::vector<std::vector<std::string>> rows;
  for (const Comparison& c : comparisons) {
    std::string variant = Code(c.variant);
    if (!c.group.empty()) variant = absl::StrCat(EscapeMarkdown(c.group), ": ", variant);
    rows.push_back({EscapeMarkdown(absl::StrCat(c.experiment, ", ", c.setup)), variant,
                    EscapeMarkdown(Label(c.primary)), FormatValue(c.primary, c.before->value),
                    c.after ? FormatValue(c.primary, c.after->value) : "-",
                    c.cost ? FormatRatio(*c.cost) : "-", Reason(c)});
  }
  return absl::StrCat(
      MarkdownTable({"Experiment", "Variant", "Value", "Before", "After", "Cost", "Verdict"},
                    "lllrrrl", rows),
      "\n", Name(Overall(comparisons)), " (cost above 1 is worse; threshold ",
      FormatEffect(threshold), ")\n");
}

std::string ComparisonJson(const std::vector<Comparison>& comparisons, double threshold) {
  Json rows = Json::array();
  for (const Comparison& c : comparisons) {
    rows.push_back({{"experiment", c.experiment},
                    {"setup", c.setup},
                    {"group", c.group},
                    {"variant", c.variant},
                    {"primary", c.primary},
                    {"before", EstimateJson(c.before)},
                    {"after", EstimateJson(c.after)},
                    {"cost", EstimateJson(c.cost)},
                    {"verdict", Reason(c)}});
  }
  const Json json = {{"verdict", std::string(Name(Overall(comparisons)))},
                     {"threshold_pct", 100 * threshold},
                     {"comparisons", std::move(rows)}};
  return record::Dump(json, 1) + "\n";
}

}  // namespace mlp::analysis
