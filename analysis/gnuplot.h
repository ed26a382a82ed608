// Drawing with gnuplot: one script in, SVG or PNG out. The same script gives the same bytes.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::analysis {

// A drawing: commands that set axes and plot, and its size in pixels.
struct Drawing {
  std::string title = "";  // Before Draw: what it shows, "" if the table's title says it.
  std::string script = "";
  int width = 860;
  int height = 420;
};

// A literal for a script: single-quoted, so that nothing in it is expanded.
std::string Quoted(absl::string_view text);

// The number so that gnuplot reads the same one.
std::string Literal(double value);

// Makes an axis ("x" or "y") logarithmic, numbered so that a range of less than a decade has
// numbers, too. 0 < low <= high.
std::string LogScale(absl::string_view axis, double low, double high);

// Colours that also those tell apart who do not see red or green (Okabe, Ito, "Color universal
// design", 2008). Any index; after kSeriesColors they repeat.
std::string SeriesColor(size_t index);
inline constexpr size_t kSeriesColors = 8;
inline constexpr char kBaselineColor[] = "#8a94a0";
inline constexpr char kAccentColor[] = "#0072b2";
inline constexpr char kTextColor[] = "#2b3138";

// `id` keeps the parts of several SVGs in one page apart: letters, digits and underscores.
absl::StatusOr<std::string> RenderSvg(const Drawing& drawing, const std::string& id);
// Two pixels for each one of the drawing.
absl::StatusOr<std::string> RenderPng(const Drawing& drawing);

}  // namespace mlp::analysis
