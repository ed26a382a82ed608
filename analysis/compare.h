// Did it become slower or worse? The same variants in two sets of records, before and after.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/load.h"
#include "analysis/statistics.h"

namespace mlp::analysis {

// Of what is no time or rate "slower" reads "worse".
enum class Verdict {
  kNoSlower,
  kSlower,    // Also: more of its runs fail, or it is less accurate.
  kTooNoisy,  // Also: too few repetitions, other work or settings, or not run now.
};

struct Comparison {
  std::string experiment;
  std::string setup;  // Dataset and machine.
  std::string group;
  std::string variant;
  std::string primary;
  std::optional<Estimate> before;
  std::optional<Estimate> after;
  bool by_difference = false;  // A percentage.
  // After over before, above 1 is worse; where it is by_difference, how much less good it is after
  // in the unit of the value, above 0 is worse. Whatever the direction of the value.
  std::optional<Estimate> cost;
  // What the verdict alone does not say: "other work (epochs 5, now 2)", "less accurate by 5.00
  // points (4.90 to 5.10)".
  std::string reason = "";
  Verdict verdict = Verdict::kTooNoisy;
};

// How much worse is still no slower: a verdict takes the whole interval of the cost, slower above
// this, no slower at or below it.
struct Thresholds {
  double ratio = 0.03;  // 3 %.
  double points = 0.3;  // Of percentages: as a ratio 97.4 % to 94.9 % is hardly anything.
};

// Compares what has finished runs in the newest old record of each experiment, dataset and machine
// by its primary value, and where that is another, by whether metrics.test_accuracy became lower by
// more than the threshold. The records have passed CheckComparable (settings.h).
std::vector<Comparison> Compare(std::vector<LoadedRecord> before, std::vector<LoadedRecord> after,
                                const Thresholds& thresholds);

// The verdict of all: one slower makes it slower, else one too noisy makes it too noisy.
Verdict Overall(const std::vector<Comparison>& comparisons);

// Of main: 0 no slower, 1 slower, 3 too noisy to say.
int ExitCode(Verdict verdict);

std::string ComparisonMarkdown(const std::vector<Comparison>& comparisons,
                               const Thresholds& thresholds);
std::string ComparisonJson(const std::vector<Comparison>& comparisons,
                           const Thresholds& thresholds);

}  // namespace mlp::analysis
