// Lines over a parameter, with intervals.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "analysis/plot.h"
#include "analysis/value.h"
#include "mlp/record/keys.h"

namespace mlp::analysis {
namespace {

struct Point {
  double x = 0;
  std::optional<Estimate> y;  // Of the runs that have it,
  size_t ok = 0;              // of so many.
};

struct Line {
  std::string name;
  std::vector<Point> points;
};

// The one that the row belongs to, made anew if there is none.
Line& LineOf(const Row& row, const record::Plot& plot, std::vector<Line>& lines) {
  const std::string name = plot.series.empty() ? "" : TextOf(row.runs.front(), plot.series);
  const auto line = std::ranges::find(lines, name, &Line::name);
  if (line != lines.end()) return *line;
  return lines.emplace_back(Line{.name = name, .points = {}});
}

// The first numeric param in which variants differ; "" if there is none.
std::string VaryingParam(const Table& table) {
  std::map<std::string, std::set<double>> values;
  for (const Row& row : table.rows) {
    for (const auto& [key, scalar] : row.runs.front().params) {
      if (const double* number = std::get_if<double>(&scalar)) values[key].insert(*number);
    }
  }
  for (const auto& [key, numbers] : values) {
    if (numbers.size() > 1) return absl::StrCat(record::keys::kParams, ".", key);
  }
  return "";
}

}  // namespace

std::optional<Drawing> DrawLines(const Table& table, const record::Plot& plot,
                                 std::span<const Table> siblings) {
  std::vector<Line> lines;
  std::set<double> xs, with_value;
  double highest = 0, lowest = std::numeric_limits<double>::infinity();
  size_t most_runs = 0;
  std::string x_path, y_path;
  for (const Table& sibling : siblings) {
    const std::vector<record::Plot>& plots = sibling.view.plots;
    if (&sibling != &table && std::ranges::find(plots, plot) == plots.end()) continue;
    x_path = plot.x.empty() ? VaryingParam(sibling) : plot.x;
    y_path = plot.y.empty() ? sibling.view.primary : plot.y;
    for (const Row& row : sibling.rows) {
      if (sibling.IsAgain(row)) continue;
      const std::optional<double> x = ValueOf(row.runs.front(), x_path);
      const std::optional<Estimate> y = EstimateOf(row, y_path);
      if (!x || row.ok == 0 || (plot.log_x && *x <= 0)) continue;
      if (y && plot.log_y && y->low <= 0) continue;
      LineOf(row, plot, lines).points.push_back({*x, y, row.ok});
      xs.insert(*x);
      if (!y) continue;
      with_value.insert(*x);
      highest = std::max(highest, y->high);
      lowest = std::min(lowest, y->low);
      most_runs = std::max(most_runs, y->n);
    }
  }
  constexpr size_t kFewestX = 2;
  if (with_value.size() < kFewestX) return std::nullopt;
  const bool log_y = plot.log_y && IsWide(lowest, highest);
  const Axis x_axis = AxisOf(x_path, *xs.rbegin());
  const Axis y_axis = AxisOf(y_path, highest);
  // Twice the threads are twice as fast at best.
  const bool shows_ideal = KeyOf(x_path) == "threads" && IsSpeed(y_path) && HigherIsBetter(y_path);

  std::string data, plots, labels;
  bool has_missing = false;
  for (size_t i = 0; i < lines.size(); ++i) {
    std::vector<Point>& points = lines[i].points;
    std::ranges::stable_sort(points, {}, &Point::x);
    absl::StrAppend(&data, "$line", i, " << END\n");
    for (const Point& point : points) {
      const double x = x_axis.factor * point.x;
      const size_t n = point.y ? point.y->n : 0;
      if (n < point.ok) {
        has_missing = true;
        absl::StrAppend(
            &labels, "set label ", Quoted(absl::StrCat(n, " of ", point.ok)), " at first ",
            Literal(x), ", ",
            point.y ? absl::StrCat("first ", Literal(y_axis.factor * point.y->high)) : "graph 0.03",
            " center offset character 0,0.8 textcolor rgb '", kWarningColor, "' font ',11'\n");
      }
      if (!point.y) continue;
      absl::StrAppend(&data, Literal(x), " ", Literal(y_axis.factor * point.y->value), " ",
                      Literal(y_axis.factor * point.y->low), " ",
                      Literal(y_axis.factor * point.y->high), " ", n < point.ok ? 1 : 0, "\n");
    }
    absl::StrAppend(&data, "END\n");
    // What a later line covers shows in its gaps.
    constexpr size_t kDashes = 4;
    const std::string color = absl::StrCat(" linecolor rgb '", SeriesColor(i), "'");
    absl::StrAppend(&plots, i == 0 ? "plot " : ", ", "$line", i,
                    " using 1:2:3:4 with yerrorbars linewidth 1.2 pointtype 7 pointsize 0.6", color,
                    " notitle, $line", i, " using 1:2 with lines linewidth 1.6 dashtype ",
                    1 + i % kDashes, color, " title ", Quoted(lines[i].name), ", $line", i,
                    " using 1:($5 == 1 ? $2 : NaN) with points pointtype 7 pointsize 0.35 "
                    "linecolor rgb '#ffffff' notitle");
    if (shows_ideal && points.front().y) {
      absl::StrAppend(
          &plots, ", ", Literal(y_axis.factor * points.front().y->value / points.front().x),
          " * x with lines linewidth 0.8 dashtype 3 linecolor rgb '", SeriesColor(i), "' notitle");
    }
  }
  // The values that were run, where there are few, say more than round numbers.
  std::string xtics;
  constexpr size_t kMostTics = 12;
  if (xs.size() <= kMostTics) {
    std::vector<std::string> tics;
    for (const double x : xs) {
      const double shown = x_axis.factor * x;
      tics.push_back(absl::StrCat(Quoted(absl::StrCat(shown)), " ", Literal(shown)));
    }
    xtics = absl::StrCat("set xtics (", absl::StrJoin(tics, ", "), ")\n");
  }
  // Room at both ends, also where no run came to a value.
  constexpr double kRoom = 0.04;
  const double first = *xs.begin(), last = *xs.rbegin();
  const double below =
      plot.log_x ? first * (1 - std::pow(last / first, -kRoom)) : kRoom * (last - first);
  const double above =
      plot.log_x ? last * (std::pow(last / first, kRoom) - 1) : kRoom * (last - first);
  std::string script = absl::StrCat(
      data, labels, "set xlabel ", Quoted(x_axis.label), " textcolor rgb '#4a525b'\nset ylabel ",
      Quoted(y_axis.label), " textcolor rgb '#4a525b'\n",
      lines.size() > 1 || !lines[0].name.empty()
          ? "set key outside right center vertical font ',11'\n"
          : "unset key\n",
      plot.log_x ? "set logscale x\n" : "", xtics,
      log_y ? absl::StrCat(LogScale("y", y_axis.factor * lowest, y_axis.factor * highest),
                           "set yrange [", Literal(y_axis.factor * lowest / 1.2), ":",
                           Literal(y_axis.factor * highest * 1.2), "]\n")
            : "set yrange [0:*]\n",
      "set xrange [", Literal(x_axis.factor * (first - below)), ":",
      Literal(x_axis.factor * (last + above)), "]\nset offsets 0, 0, graph 0.04, 0\n", plots, "\n");
  return Drawing{.title = absl::StrCat(Label(y_path), " over ", Label(x_path)),
                 .note = absl::StrCat(MediansOf(most_runs),
                                      shows_ideal ? "; dotted: in proportion to the threads" : "",
                                      has_missing ? "; \"k of n\": so many runs came to it" : ""),
                 .script = std::move(script)};
}

}  // namespace mlp::analysis
