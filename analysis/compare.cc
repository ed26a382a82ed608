#include "analysis/compare.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "analysis/aggregate.h"
#include "analysis/markdown.h"
#include "analysis/settings.h"
#include "analysis/table.h"
#include "analysis/value.h"
#include "mlp/base/check.h"
#include "mlp/record/json.h"
#include "mlp/record/record.h"

namespace mlp::analysis {
namespace {

using record::Json;

constexpr char kTestAccuracy[] = "metrics.test_accuracy";

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

// The verdict, and where it says too little, why.
std::string Reason(const Comparison& comparison) {
  if (!comparison.reason.empty()) return comparison.reason;
  return std::string(Name(comparison.verdict, IsSpeed(comparison.primary)));
}

absl::string_view OverallName(const std::vector<Comparison>& comparisons) {
  // What fails or has lost accuracy is not called slower.
  const bool all_speed = std::ranges::all_of(comparisons, [](const Comparison& comparison) {
    return IsSpeed(comparison.primary) &&
           (comparison.verdict != Verdict::kSlower || comparison.reason.empty());
  });
  return Name(Overall(comparisons), all_speed);
}

std::string CostText(const Comparison& comparison) {
  if (!comparison.cost) return "-";
  if (!comparison.by_difference) return FormatRatio(*comparison.cost);
  return FormatDifference(comparison.primary, *comparison.cost);
}

const Table* FindTable(const std::vector<Table>& tables, const std::string& group) {
  for (const Table& table : tables) {
    if (table.view.name == group) return &table;
  }
  return nullptr;
}

bool AllPositive(const std::vector<double>& values) {
  return !values.empty() &&
         std::all_of(values.begin(), values.end(), [](double value) { return value > 0; });
}

// The threshold of differences, in the unit of the value at `path`.
double Points(const Thresholds& thresholds, const std::string& path) {
  return thresholds.points / ScaleFor(path, 1).factor;
}

std::string TooFew(const Estimate& estimate) {
  return absl::StrCat("too few runs (", estimate.n, ") for an interval");
}

// Whether more runs would help where nothing can be said, and a quieter machine would not.
bool TooFewOfAll(const std::vector<Comparison>& comparisons) {
  return Overall(comparisons) == Verdict::kTooNoisy &&
         std::ranges::all_of(comparisons, [](const Comparison& comparison) {
           return comparison.verdict != Verdict::kTooNoisy ||
                  (comparison.cost && !comparison.cost->HasInterval());
         });
}

std::string NeedsMoreRuns() {
  return absl::StrCat("too few runs to say: an interval takes ", kMinForInterval,
                      ", as with --repetitions=", kMinForInterval);
}

// Of what both have finished, by the primary value.
void JudgePrimary(const std::vector<double>& old_values, const std::vector<double>& new_values,
                  bool higher_is_better, const Thresholds& thresholds, Comparison* comparison) {
  const std::vector<double>& more = higher_is_better ? old_values : new_values;
  const std::vector<double>& less = higher_is_better ? new_values : old_values;
  double most = 1 + thresholds.ratio;
  if (comparison->by_difference) {
    comparison->cost = UnpairedDifference(more, less);
    most = Points(thresholds, comparison->primary);
  } else {
    if (!AllPositive(old_values) || !AllPositive(new_values)) {
      comparison->reason = "no ratio: not every value is above 0";
      return;
    }
    comparison->cost = UnpairedRatio(more, less);
  }
  if (!comparison->cost->HasInterval()) {
    comparison->reason = TooFew(*comparison->cost);
    return;
  }
  if (comparison->cost->low > most) comparison->verdict = Verdict::kSlower;
  if (comparison->cost->high <= most) comparison->verdict = Verdict::kNoSlower;
}

// A variant that is faster because it learns less has become worse. Only an accuracy whose median
// is lower by more than the threshold says something here: the table is about another value.
void JudgeAccuracy(const Row& before, const Row& after, const Thresholds& thresholds,
                   Comparison* comparison) {
  const std::vector<double> was = SampleValues(before, kTestAccuracy);
  const std::vector<double> is = SampleValues(after, kTestAccuracy);
  if (was.empty() || is.empty()) return;
  const Estimate loss = UnpairedDifference(was, is);
  const double most = Points(thresholds, kTestAccuracy);
  if (loss.value <= most) return;
  const std::string text = FormatDifference(kTestAccuracy, loss);
  if (loss.HasInterval() && loss.low > most) {
    comparison->reason =
        absl::StrCat(comparison->verdict == Verdict::kSlower ? Reason(*comparison) + ", " : "",
                     "less accurate by ", text);
    comparison->verdict = Verdict::kSlower;
  } else if (comparison->verdict == Verdict::kNoSlower) {
    comparison->reason =
        absl::StrCat("accuracy lower by ", text, ": ",
                     loss.HasInterval() ? Name(Verdict::kTooNoisy, true) : TooFew(loss));
    comparison->verdict = Verdict::kTooNoisy;
  }
}

// The record and its table that a row stands in.
struct Place {
  const record::Record& record;
  const Table& table;
};

// What became of one variant.
void Judge(const Place& old_place, const Row& before, const Place& new_place, const Row& after,
           const Thresholds& thresholds, Comparison* comparison) {
  const std::vector<double> new_values = SampleValues(after, comparison->primary);
  if (!new_values.empty()) comparison->after = MedianEstimate(new_values);
  // A larger part of the runs than before.
  if (after.failed * before.runs.size() > before.failed * after.runs.size() ||
      (after.failed > 0 && new_values.empty())) {
    comparison->verdict = Verdict::kSlower;
    comparison->reason =
        absl::StrCat("worse: ", after.failed, " of ", after.runs.size(), " runs failed, before ",
                     before.failed, " of ", before.runs.size());
    return;
  }
  if (new_values.empty()) {
    comparison->reason = after.skipped > 0 ? "skipped now" : "no value now";
    return;
  }
  if (const std::string setting = OtherSetting(before, after); !setting.empty()) {
    comparison->reason = absl::StrCat("other setting (", setting, ")");
    return;
  }
  const std::string work = OtherWork(old_place.record, new_place.record, comparison->primary);
  if (!work.empty()) {
    comparison->reason = absl::StrCat("other work (", work, ")");
    return;
  }
  JudgePrimary(SampleValues(before, comparison->primary), new_values,
               *old_place.table.view.higher_is_better, thresholds, comparison);
  // The rounds of one training differ in accuracy whatever became of it.
  if (comparison->primary != kTestAccuracy && !old_place.table.one_training &&
      !new_place.table.one_training &&
      OtherWork(old_place.record, new_place.record, kTestAccuracy).empty()) {
    JudgeAccuracy(before, after, thresholds, comparison);
  }
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
    const auto new_series = std::ranges::find_if(all_after, [&](const Series& series) {
      return SameSetup(old_record, series.newest.record);
    });
    std::vector<Table> new_tables;
    if (new_series != all_after.end()) new_tables = Aggregate(new_series->newest.record);
    for (const Table& table : Aggregate(old_record)) {
      const Table* const new_table = FindTable(new_tables, table.view.name);
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
                              .reason = "not measured again"};
        if (const Row* after = new_table ? new_table->Find(row.variant) : nullptr) {
          comparison.reason = "";
          Judge({old_record, table}, row, {new_series->newest.record, *new_table}, *after,
                thresholds, &comparison);
        }
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
      "\n", TooFewOfAll(comparisons) ? NeedsMoreRuns() : std::string(OverallName(comparisons)),
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
