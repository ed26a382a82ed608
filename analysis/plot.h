// From a table to drawings, as its view asks: bars, lines, learning curves, scatter,
// rooflines.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "analysis/aggregate.h"
#include "analysis/gnuplot.h"

namespace mlp::analysis {

// The drawing of `plot`, or nothing if the table has no data for it.
//
//   bars     y of each variant, by default its speed-up (of percentages the primary value); the
//            baseline is grey. Speed-ups of `siblings` share one scale.
//   lines    y (by default the primary value) over the param x, a line for each value of `series`,
//            from all `siblings` with the same plot; bars show the interval. At least two x.
//   curves   y (by default curve.train_loss) over x (by default curve.epoch), the median over
//            repetitions (and over all variants of a value of `series`), in a band from the
//            smallest to the largest. Of accuracies it shows what is missing to 100 %,
//            on a logarithmic axis where that falls to a quarter and less.
//   scatter  y (by default metrics.test_accuracy) over x (by default the primary value), a point
//            for each variant with the intervals of both.
//   roofline timings.flop_per_s over metrics.flop_per_byte, a numbered point for each variant, in
//            its params.family's colour. Variants with params.roof are lines: "flop" at their
//            timings.flop_per_s, "bytes" rising with their timings.bytes_per_s.
//
// `title` stands above it where the plot has none of its own; below that `setup` and the drawing's
// note. `siblings` are all tables of the record, `table` among them; none means that one alone.
std::optional<Drawing> Draw(const Table& table, const record::Plot& plot, const std::string& title,
                            const std::string& setup = "", std::span<const Table> siblings = {});

// "1 run", "6 runs".
std::string Runs(size_t count);

// What points and bars show of so many runs: "medians of 6 runs with their intervals", of fewer
// than an interval takes "medians of 5 runs with their ranges", "values of 1 run".
std::string MediansOf(size_t runs);

// Whether one drawing shows this plot of all the tables that have it.
bool IsShared(const record::Plot& plot);

// One for each kind.
std::optional<Drawing> DrawBars(const Table& table, const record::Plot& plot,
                                std::span<const Table> siblings);
std::optional<Drawing> DrawLines(const Table& table, const record::Plot& plot,
                                 std::span<const Table> siblings);
std::optional<Drawing> DrawCurves(const Table& table, const record::Plot& plot);
std::optional<Drawing> DrawRoofline(const Table& table, const record::Plot& plot);
std::optional<Drawing> DrawScatter(const Table& table, const record::Plot& plot);

}  // namespace mlp::analysis
