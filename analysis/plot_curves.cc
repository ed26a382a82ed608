// Learning curves: the median over repetitions, in a band from the smallest to the largest while
// there are few of them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "analysis/plot.h"
#include "analysis/value.h"
#include "mlp/record/keys.h"

namespace mlp::analysis {
namespace {

// One epoch's values over repetitions.
struct EpochValues {
  std::vector<double> x;
  std::vector<double> y;
};

std::vector<EpochValues> Collect(const Row& row, const std::string& x_key,
                                 const std::string& y_key) {
  std::vector<EpochValues> epochs;
  for (const record::RunRecord& run : row.runs) {
    if (run.status != record::RunStatus::kOk) continue;
    for (size_t i = 0; i < run.curve.size(); ++i) {
      const auto x = run.curve[i].find(x_key);
      const auto y = run.curve[i].find(y_key);
      if (x == run.curve[i].end() || y == run.curve[i].end() || !std::isfinite(x->second) ||
          !std::isfinite(y->second)) {
        continue;
      }
      if (epochs.size() <= i) epochs.resize(i + 1);
      epochs[i].x.push_back(x->second);
      epochs[i].y.push_back(y->second);
    }
  }
  return epochs;
}

using Curve = std::pair<std::string, std::vector<EpochValues>>;

// Whether both take the same way, as far as an eye can see.
bool Coincide(const Curve& a, const Curve& b) {
  const auto near = [](const std::vector<double>& u, const std::vector<double>& v) {
    if (u.empty() || v.empty()) return u.empty() == v.empty();
    const double x = Median(u), y = Median(v);
    return std::abs(x - y) <= 0.002 * std::max(std::abs(x), std::abs(y));
  };
  return std::ranges::equal(a.second, b.second, [&](const EpochValues& u, const EpochValues& v) {
    return near(u.x, v.x) && near(u.y, v.y);
  });
}

// Bands, and wider curves below others, are clear among few curves alone.
constexpr size_t kFew = 8;

// A curve that others are drawn on is wider by so much for each of them.
constexpr double kWidth = 1.6, kWider = 3;

}  // namespace

std::optional<Drawing> DrawCurves(const Table& table, const record::Plot& plot) {
  const std::string x_path = plot.x.empty() ? "curve.epoch" : plot.x;
  const std::string y_path = plot.y.empty() ? "curve.train_loss" : plot.y;
  const std::string x_key(KeyOf(x_path));
  const std::string y_key(KeyOf(y_path));
  std::vector<Curve> curves;
  double largest_x = 0;
  double largest_y = 0;
  double smallest_y = std::numeric_limits<double>::infinity();  // above 0
  for (const Row& row : table.rows) {
    if (table.IsAgain(row)) continue;
    curves.emplace_back(row.variant, Collect(row, x_key, y_key));
    for (const EpochValues& epoch : curves.back().second) {
      for (const double x : epoch.x) largest_x = std::max(largest_x, x);
      for (const double y : epoch.y) {
        largest_y = std::max(largest_y, y);
        if (y > 0) smallest_y = std::min(smallest_y, y);
      }
    }
  }
  const Axis x_axis = AxisOf(x_path, largest_x);
  const Axis y_axis = AxisOf(y_path, largest_y);

  std::string data, bands, medians;
  size_t index = 0;
  bool has_line = false;
  for (auto curve = curves.begin(); curve != curves.end(); ++curve) {
    const auto& [variant, epochs] = *curve;
    const auto above =
        curves.size() > kFew ? 0 : std::count_if(curve + 1, curves.end(), [&](const Curve& other) {
          return Coincide(*curve, other);
        });
    std::string lines;
    size_t points = 0;
    for (const EpochValues& epoch : epochs) {
      if (epoch.y.empty()) continue;
      const auto [min, max] = std::minmax_element(epoch.y.begin(), epoch.y.end());
      if (plot.log_y && *min <= 0) continue;
      absl::StrAppend(&lines, Literal(x_axis.factor * Median(epoch.x)), " ",
                      Literal(y_axis.factor * Median(epoch.y)), " ", Literal(y_axis.factor * *min),
                      " ", Literal(y_axis.factor * *max), "\n");
      ++points;
    }
    if (points == 0) continue;
    has_line |= points > 1;
    absl::StrAppend(&data, "$curve", index, " << END\n", lines, "END\n");
    const std::string color = absl::StrCat(" linecolor rgb '", SeriesColor(index), "'");
    if (curves.size() <= kFew) {
      absl::StrAppend(&bands, "$curve", index,
                      " using 1:3:4 with filledcurves fillstyle transparent solid 0.15 noborder",
                      color, " notitle, ");
    }
    absl::StrAppend(
        &medians, index == 0 ? "" : ", ", "$curve", index, " using 1:2 with linespoints linewidth ",
        kWidth + kWider * static_cast<double>(above), " pointtype ",
        // A disc, a square, a triangle, where colours repeat.
        7 - 2 * (index / kSeriesColors % 3), " pointsize ", index < kSeriesColors ? "0.45" : "0.7",
        color, " dashtype ", 1 + index / kSeriesColors, " title ", Quoted(variant));
    ++index;
  }
  if (!has_line) return std::nullopt;
  const std::string script = absl::StrCat(
      data, "set xlabel ", Quoted(x_axis.label), " textcolor rgb '#4a525b'\nset ylabel ",
      Quoted(y_axis.label), " textcolor rgb '#4a525b'\nset key outside right center vertical\n",
      KeyOf(x_path) == record::keys::kEpoch ? "set xtics 1\n" : "",
      plot.log_x ? "set logscale x\n" : "",
      plot.log_y ? LogScale("y", y_axis.factor * smallest_y, y_axis.factor * largest_y) : "",
      "set autoscale xfix\nset autoscale yfix\nset offsets graph 0.02, graph 0.02, graph 0.04, "
      "graph 0.04\nset tmargin 4\nplot ",
      bands, medians, "\n");
  return Drawing{.title = absl::StrCat(Label(y_path), " over ", Label(x_path)), .script = script};
}

}  // namespace mlp::analysis
