// Drawing with gnuplot: one script in, SVG or PNG out. The same script gives the same bytes.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::analysis {

// A drawing: commands that set axes and plot, and its size in pixels.
struct Drawing {
  std::string title = "";  // Before Draw: what it shows, "" if the table's title says it.
  std::string note = "";   // What its signs mean, for the line below the title.
  std::string script = "";
  bool shows_error = false;  // What is missing of an accuracy.
  int width = 860;
  int height = 420;
};

// A literal for a script: single-quoted, so that nothing in it is expanded.
std::string Quoted(absl::string_view text);

// The number so that gnuplot reads the same one.
std::string Literal(double value);

// Whether a logarithmic axis shows more than a linear one: over a decade and more. 0 < low.
bool IsWide(double low, double high);

// Makes an axis ("x" or "y") logarithmic, with at least three numbers where the range is a part of
// a decade, too. 0 < low <= high.
std::string LogScale(absl::string_view axis, double low, double high);

// The area that data are drawn in, in pixels from the drawing's edges: whoever has to know where a
// value lies sets it.
struct Margins {
  double left = 84;
  double right = 24;
  double bottom = 62;
};
std::string SetMargins(const Drawing& drawing, const Margins& margins);

// Above it stand the title and the note.
inline constexpr double kHeadHeight = 62;

// Colours that also those tell apart who do not see red or green (Okabe, Ito, "Color universal
// design", 2008). Any index; after kSeriesColors they repeat.
std::string SeriesColor(size_t index);
inline constexpr size_t kSeriesColors = 10;
inline constexpr char kBaselineColor[] = "#8a94a0";
inline constexpr char kAccentColor[] = "#0072b2";
inline constexpr char kTextColor[] = "#2b3138";
inline constexpr char kWarningColor[] = "#a33b20";

// `id` keeps the parts of several SVGs in one page apart: letters, digits and underscores.
absl::StatusOr<std::string> RenderSvg(const Drawing& drawing, const std::string& id);
// Two pixels for each one of the drawing.
absl::StatusOr<std::string> RenderPng(const Drawing& drawing);

}  // namespace mlp::analysis
