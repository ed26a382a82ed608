// What is paid for what: a named point for each variant, with the intervals of both values.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "analysis/label_room.h"
#include "analysis/plot.h"
#include "analysis/value.h"

namespace mlp::analysis {

std::optional<Drawing> DrawScatter(const Table& table, const record::Plot& plot) {
  const std::string x_path = plot.x.empty() ? table.view.primary : plot.x;
  const std::string y_path = plot.y.empty() ? "metrics.test_accuracy" : plot.y;
  struct Point {
    const Row* row;
    Estimate x;
    Estimate y;
  };
  std::vector<Point> points;
  double largest_x = 0;
  double largest_y = 0;
  double smallest_x = std::numeric_limits<double>::infinity();
  double smallest_y = std::numeric_limits<double>::infinity();
  for (const Row& row : table.rows) {
    const std::optional<Estimate> x = EstimateOf(row, x_path);
    const std::optional<Estimate> y = EstimateOf(row, y_path);
    if (!x || !y || table.IsAgain(row)) continue;
    if ((plot.log_x && x->low <= 0) || (plot.log_y && y->low <= 0)) continue;
    points.push_back({&row, *x, *y});
    largest_x = std::max(largest_x, x->high);
    largest_y = std::max(largest_y, y->high);
    smallest_x = std::min(smallest_x, x->low);
    smallest_y = std::min(smallest_y, y->low);
  }
  if (points.empty()) return std::nullopt;
  const Axis x_axis = AxisOf(x_path, largest_x);
  const Axis y_axis = AxisOf(y_path, largest_y);

  const AxisScale x_scale = {smallest_x, largest_x, plot.log_x};
  const AxisScale y_scale = {smallest_y, largest_y, plot.log_y};
  // What the offsets below leave of the area.
  LabelRoom room(540, 260);
  std::string data, labels;
  for (const Point& point : points) {
    for (const auto& [factor, estimate] :
         {std::pair(x_axis.factor, point.x), std::pair(y_axis.factor, point.y)}) {
      absl::StrAppend(&data, Literal(factor * estimate.value), " ", Literal(factor * estimate.low),
                      " ", Literal(factor * estimate.high), " ");
    }
    absl::StrAppend(&data, table.IsBaseline(*point.row) ? 1 : 0, "\n");
    const double lines = room.FreeLine(x_scale.At(point.x.value), y_scale.At(point.y.value),
                                       point.row->variant.size());
    absl::StrAppend(&labels, "set label ", Quoted(point.row->variant), " at first ",
                    Literal(x_axis.factor * point.x.value), ", first ",
                    Literal(y_axis.factor * point.y.value), " left offset character 0.8,",
                    Literal(lines), " textcolor rgb '", kTextColor, "' font ',11'\n");
  }
  const std::string script = absl::StrCat(
      "$points << END\n", data, "END\n", labels, "set xlabel ", Quoted(x_axis.label),
      " textcolor rgb '#4a525b'\nset ylabel ", Quoted(y_axis.label),
      " textcolor rgb '#4a525b'\nunset key\n",
      plot.log_x ? LogScale("x", x_axis.factor * smallest_x, x_axis.factor * largest_x) : "",
      plot.log_y ? LogScale("y", y_axis.factor * smallest_y, y_axis.factor * largest_y) : "",
      // Room for names at the right.
      "set autoscale xfix\nset autoscale yfix\nset offsets graph 0.06, graph 0.18, graph 0.12, "
      "graph 0.08\nset tmargin 4\n"
      "color(baseline) = baseline == 1 ? 0x8a94a0 : 0x0072b2\n"
      "plot $points using 1:4:2:3:5:6 with xyerrorbars pointtype 0 linecolor rgb '#9aa3ad' "
      "linewidth 1, $points using 1:4:(color($7)) with points pointtype 7 pointsize 0.9 linecolor "
      "rgb variable\n");
  return Drawing{.title = absl::StrCat(Label(y_path), " over ", Label(x_path)), .script = script};
}

}  // namespace mlp::analysis
