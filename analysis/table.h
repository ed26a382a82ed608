// A table of an experiment as Markdown, and what its numbers say as a sentence.
#pragma once

#include <string>

#include "analysis/aggregate.h"

namespace mlp::analysis {

// One row a variant: repetitions, median and interval of the primary value, best (of times and
// rates), speed-up or difference, further columns. Variants that failed or were skipped stay in it.
// Notes below the table say what its signs mean.
std::string TableMarkdown(const Table& table);

// What the numbers say, in Markdown: the view's claims, or where it makes none, which variant is
// better and which is worse than the baseline, as far as intervals and the A/A pair support it.
std::string Headline(const Table& table);

// The headline, then how small an effect is noise, and what failed.
std::string Conclusion(const Table& table);

// The variant as code, and its ThreadsMark.
std::string VariantName(const Table& table, const Row& row);

// "14.2x (13.9 to 14.6)".
std::string FormatRatio(const Estimate& estimate);

// "540 k/s (530 to 550)", all in one unit; a range that is no interval stands in brackets.
std::string FormatMedian(const std::string& path, const Estimate& estimate);

// "0.12 points (0.05 to 0.19)".
std::string FormatDifference(const std::string& path, const Estimate& estimate);

// 0.013 -> "1.3 %".
std::string FormatEffect(double effect);

}  // namespace mlp::analysis
