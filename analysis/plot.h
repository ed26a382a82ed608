// From a table to drawings, as its view asks: bars, lines, learning curves, scatter,
// rooflines.
#pragma once

#include <optional>
#include <string>

#include "analysis/aggregate.h"
#include "analysis/gnuplot.h"

namespace mlp::analysis {

// The drawing of `plot`, or nothing if the table has no data for it.
//
//   bars     y of each variant, by default its speed-up; the baseline is grey.
//   lines    y (by default the primary value) over the param x, a line for each value of `series`;
//            bars show the interval.
//   curves   y (by default curve.train_loss) over x (by default curve.epoch), the median over
//            repetitions, in a band from the smallest to the largest.
//   scatter  y (by default metrics.test_accuracy) over x (by default the primary value), a point
//            for each variant with the intervals of both.
//   roofline timings.flop_per_s over metrics.flop_per_byte, a numbered point for each variant, in
//   its
//            params.family's colour. Variants with params.roof are lines: "flop" at their
//            timings.flop_per_s, "bytes" rising with their timings.bytes_per_s.
//
// `title` stands above it where the plot has none of its own.
std::optional<Drawing> Draw(const Table& table, const record::Plot& plot, const std::string& title);

// One for each kind.
std::optional<Drawing> DrawBars(const Table& table, const record::Plot& plot);
std::optional<Drawing> DrawLines(const Table& table, const record::Plot& plot);
std::optional<Drawing> DrawCurves(const Table& table, const record::Plot& plot);
std::optional<Drawing> DrawRoofline(const Table& table, const record::Plot& plot);
std::optional<Drawing> DrawScatter(const Table& table, const record::Plot& plot);

}  // namespace mlp::analysis
