// What is paid for what: a named point for each variant, with the intervals of both values.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "analysis/label_room.h"
#include "analysis/plot.h"
#include "analysis/value.h"

namespace mlp::analysis {

namespace {

struct Point {
  const Row* row;
  Estimate x;
  Estimate y;
};

// One axis with room at both ends for points and names.
struct Side {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  bool log = false;

  void Add(const Estimate& estimate) {
    low = std::min(low, estimate.low);
    high = std::max(high, estimate.high);
  }
  void Finish(bool wants_log) {
    log = wants_log && IsWide(low, high);
    constexpr double kRoom = 0.1;
    if (log) {
      const double factor = std::pow(high / low, kRoom);
      low /= factor;
      high *= factor;
    } else {
      const double room = high > low ? kRoom * (high - low) : std::max(0.1 * std::abs(high), 1e-9);
      low -= room;
      high += room;
    }
  }
  std::string Script(const char* axis, double factor) const {
    return absl::StrCat(log ? LogScale(axis, factor * low, factor * high) : "", "set ", axis,
                        "range [", Literal(factor * low), ":", Literal(factor * high), "]\n");
  }
};

}  // namespace

std::optional<Drawing> DrawScatter(const Table& table, const record::Plot& plot) {
  const std::string x_path = plot.x.empty() ? table.view.primary : plot.x;
  const std::string y_path = plot.y.empty() ? "metrics.test_accuracy" : plot.y;
  std::vector<Point> points;
  Side x_side, y_side;
  size_t most_runs = 0;
  for (const Row& row : table.rows) {
    const std::optional<Estimate> x = EstimateOf(row, x_path);
    const std::optional<Estimate> y = EstimateOf(row, y_path);
    if (!x || !y || table.IsAgain(row)) continue;
    if ((plot.log_x && x->low <= 0) || (plot.log_y && y->low <= 0)) continue;
    points.push_back({&row, *x, *y});
    x_side.Add(*x);
    y_side.Add(*y);
    most_runs = std::max(most_runs, x->n);
  }
  if (points.empty()) return std::nullopt;
  const Axis x_axis = AxisOf(x_path, x_side.high);
  const Axis y_axis = AxisOf(y_path, y_side.high);
  x_side.Finish(plot.log_x);
  y_side.Finish(plot.log_y);
  // On top of the others.
  std::stable_partition(points.begin(), points.end(),
                        [&](const Point& point) { return !table.IsBaseline(*point.row); });

  Drawing drawing = {.title = absl::StrCat(Label(y_path), " over ", Label(x_path)),
                     .note = absl::StrCat(MediansOf(most_runs), "; grey: baseline")};
  const Margins margins;
  const double width = drawing.width - margins.left - margins.right;
  const double height = drawing.height - margins.bottom - kHeadHeight;
  const auto pixel_x = [&](double x) {
    return width * AxisScale{x_side.low, x_side.high, x_side.log}.At(x);
  };
  const auto pixel_y = [&](double y) {
    return height * AxisScale{y_side.low, y_side.high, y_side.log}.At(y);
  };
  LabelRoom room(width, height);
  for (const auto& [row, x, y] : points) {
    room.AddPoint(pixel_x(x.value), pixel_y(y.value));
    room.AddLine(pixel_x(x.low), pixel_y(y.value), pixel_x(x.high), pixel_y(y.value));
    room.AddLine(pixel_x(x.value), pixel_y(y.low), pixel_x(x.value), pixel_y(y.high));
  }
  std::string data, labels;
  for (const auto& [row, x, y] : points) {
    for (const auto& [factor, estimate] :
         {std::pair(x_axis.factor, x), std::pair(y_axis.factor, y)}) {
      absl::StrAppend(&data, Literal(factor * estimate.value), " ", Literal(factor * estimate.low),
                      " ", Literal(factor * estimate.high), " ");
    }
    absl::StrAppend(&data, table.IsBaseline(*row) ? 1 : 0, "\n");
    const LabelRoom::Place place =
        room.Find(pixel_x(x.value), pixel_y(y.value), row->variant.size());
    labels += PlacedLabel(row->variant, place, pixel_x(x.value), pixel_y(y.value), width, height);
  }
  drawing.script = absl::StrCat(
      SetMargins(drawing, margins), "$points << END\n", data, "END\n", labels, "set xlabel ",
      Quoted(x_axis.label), " textcolor rgb '#4a525b'\nset ylabel ", Quoted(y_axis.label),
      " textcolor rgb '#4a525b'\nunset key\n", x_side.Script("x", x_axis.factor),
      y_side.Script("y", y_axis.factor),
      "color(baseline) = baseline == 1 ? 0x8a94a0 : 0x0072b2\n"
      "plot $points using 1:4:2:3:5:6 with xyerrorbars pointtype 0 linecolor rgb '#9aa3ad' "
      "linewidth 1, $points using 1:4:(color($7)) with points pointtype 7 pointsize 0.9 linecolor "
      "rgb variable\n");
  return drawing;
}

}  // namespace mlp::analysis
