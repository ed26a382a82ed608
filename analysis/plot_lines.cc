// Lines over a parameter, with intervals.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
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
  Estimate y;
};

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

std::optional<Drawing> DrawLines(const Table& table, const record::Plot& plot) {
  const std::string x_path = plot.x.empty() ? VaryingParam(table) : plot.x;
  const std::string y_path = plot.y.empty() ? table.view.primary : plot.y;

  std::vector<std::string> names;
  std::map<std::string, std::vector<Point>> lines;
  std::set<double> xs;
  double highest = 0;
  for (const Row& row : table.rows) {
    if (table.IsAgain(row)) continue;
    const std::optional<double> x = ValueOf(row.runs.front(), x_path);
    const std::optional<Estimate> y = EstimateOf(row, y_path);
    if (!x || !y || (plot.log_x && *x <= 0) || (plot.log_y && y->low <= 0)) continue;
    const std::string name = plot.series.empty() ? "" : TextOf(row.runs.front(), plot.series);
    if (!lines.contains(name)) names.push_back(name);
    lines[name].push_back({*x, *y});
    xs.insert(*x);
    highest = std::max(highest, y->high);
  }
  if (xs.size() < 2) return std::nullopt;
  const Axis x_axis = AxisOf(x_path, *xs.rbegin());
  const Axis y_axis = AxisOf(y_path, highest);

  std::string data, plots;
  for (size_t i = 0; i < names.size(); ++i) {
    std::vector<Point>& points = lines[names[i]];
    std::stable_sort(points.begin(), points.end(),
                     [](const Point& a, const Point& b) { return a.x < b.x; });
    absl::StrAppend(&data, "$line", i, " << END\n");
    for (const Point& point : points) {
      absl::StrAppend(
          &data, Literal(x_axis.factor * point.x), " ", Literal(y_axis.factor * point.y.value), " ",
          Literal(y_axis.factor * point.y.low), " ", Literal(y_axis.factor * point.y.high), "\n");
    }
    absl::StrAppend(&data, "END\n");
    absl::StrAppend(&plots, i == 0 ? "plot " : ", ", "$line", i,
                    " using 1:2:3:4 with yerrorlines linewidth 1.6 pointtype 7 pointsize 0.6 "
                    "linecolor rgb '",
                    SeriesColor(i), "' title ", Quoted(names[i]));
  }
  // The values that were run, where there are few, say more than round numbers.
  std::string xtics;
  constexpr size_t kMostTics = 10;
  if (xs.size() <= kMostTics) {
    std::vector<std::string> tics;
    for (const double x : xs) {
      const double shown = x_axis.factor * x;
      tics.push_back(absl::StrCat(Quoted(absl::StrCat(shown)), " ", Literal(shown)));
    }
    xtics = absl::StrCat("set xtics (", absl::StrJoin(tics, ", "), ")\n");
  }
  std::string script = absl::StrCat(
      data, xtics, "set xlabel ", Quoted(x_axis.label), " textcolor rgb '#4a525b'\nset ylabel ",
      Quoted(y_axis.label), " textcolor rgb '#4a525b'\n",
      names.size() > 1 || !names[0].empty() ? "set key outside right center vertical\n"
                                            : "unset key\n",
      plot.log_x ? "set logscale x\n" : "", plot.log_y ? "set logscale y\n" : "set yrange [0:*]\n",
      "set autoscale xfix\nset offsets graph 0.04, graph 0.04, graph 0.04, 0\n", "set tmargin 4\n",
      plots, "\n");
  return Drawing{.title = absl::StrCat(Label(y_path), " over ", Label(x_path)), .script = script};
}

}  // namespace mlp::analysis
