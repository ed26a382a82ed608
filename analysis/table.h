// A table of an experiment as Markdown, and what its numbers say as a sentence.
#pragma once

#include <string>

#include "analysis/aggregate.h"

namespace mlp::analysis {

// One row a variant: repetitions, median and interval of the primary value, best, speed-up, further
// columns. Variants that failed or were skipped stay in it. Notes below the table say what its
// signs mean.
std::string TableMarkdown(const Table& table);

// The conclusion, in Markdown: which variant is best and which are worse than the baseline, as far
// as intervals and the A/A pair support it.
std::string Conclusion(const Table& table);

// "14.2x (13.9 to 14.6)".
std::string FormatRatio(const Estimate& estimate);

// 0.013 -> "1.3 %".
std::string FormatEffect(double effect);

}  // namespace mlp::analysis
