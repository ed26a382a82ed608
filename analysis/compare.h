// Did it become slower? The same variants in two sets of records, before and after.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/load.h"
#include "analysis/statistics.h"

namespace mlp::analysis {

enum class Verdict {
  kNoSlower,
  kSlower,    // Also: finished before, failed now.
  kTooNoisy,  // Also: too few repetitions, or not run now.
};

struct Comparison {
  std::string experiment;
  std::string setup;  // Dataset and machine.
  std::string group;
  std::string variant;
  std::string primary;
  std::optional<Estimate> before;
  std::optional<Estimate> after;
  // After over before as cost: above 1 is worse, whatever the direction of the value.
  std::optional<Estimate> cost;
  Verdict verdict = Verdict::kTooNoisy;
};

// Compares what has finished runs in the newest old record of each experiment, dataset and machine.
// `threshold` 0.03 is 3 %: slower if the whole interval of the cost lies above 1 + threshold, no
// slower if it lies at or below.
std::vector<Comparison> Compare(std::vector<LoadedRecord> before, std::vector<LoadedRecord> after,
                                double threshold);

// The verdict of all: one slower makes it slower, else one too noisy makes it too noisy.
Verdict Overall(const std::vector<Comparison>& comparisons);

// Of main: 0 no slower, 1 slower, 3 too noisy to say.
int ExitCode(Verdict verdict);

std::string ComparisonMarkdown(const std::vector<Comparison>& comparisons, double threshold);
std::string ComparisonJson(const std::vector<Comparison>& comparisons, double threshold);

}  // namespace mlp::analysis
