// Learning curves: the median over repetitions, in a band from the smallest to the largest while
// there are few curves.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
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
  std::vector<EpochValues> epochs = {};
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

struct Curve {
  std::string name;
  size_t color = 0;
  std::vector<EpochValues> epochs = {};
};

// Whether both take the same way, as far as an eye can see.
bool Coincide(const Curve& a, const Curve& b) {
  const auto near = [](const std::vector<double>& u, const std::vector<double>& v) {
    if (u.empty() || v.empty()) return u.empty() == v.empty();
    const double x = Median(u), y = Median(v);
    return std::abs(x - y) <= 0.002 * std::max(std::abs(x), std::abs(y));
  };
  return std::ranges::equal(a.epochs, b.epochs, [&](const EpochValues& u, const EpochValues& v) {
    return near(u.x, v.x) && near(u.y, v.y);
  });
}

// Bands, and wider curves below others, are clear among few curves alone.
constexpr size_t kFew = 8;

// A curve that others are drawn on is wider by so much for each of them.
constexpr double kWidth = 1.6, kWider = 3;

void Append(const std::vector<EpochValues>& from, std::vector<EpochValues>& to) {
  if (to.size() < from.size()) to.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    to[i].x.insert(to[i].x.end(), from[i].x.begin(), from[i].x.end());
    to[i].y.insert(to[i].y.end(), from[i].y.begin(), from[i].y.end());
  }
}

// A curve for each variant, or for each value of the plot's series. A variant has its colour in all
// plots of a table, also where others have no values.
std::vector<Curve> CurvesOf(const Table& table, const record::Plot& plot, const std::string& x_key,
                            const std::string& y_key) {
  std::vector<Curve> curves;
  size_t color = 0;
  for (const Row& row : table.rows) {
    if (table.IsAgain(row)) continue;
    const std::string name =
        plot.series.empty() ? row.variant : TextOf(row.runs.front(), plot.series);
    auto curve = plot.series.empty() ? curves.end() : std::ranges::find(curves, name, &Curve::name);
    if (curve == curves.end()) {
      curves.push_back({.name = name, .color = color++});
      curve = curves.end() - 1;
    }
    Append(Collect(row, x_key, y_key), curve->epochs);
  }
  return curves;
}

// Of many curves those that an eye cannot tell apart become one, with all their names.
void MergeCoinciding(std::vector<Curve>& curves) {
  constexpr size_t kMostNames = 2;
  std::vector<Curve> merged;
  std::vector<size_t> more;
  for (Curve& curve : curves) {
    const auto same = std::ranges::find_if(
        merged, [&curve](const Curve& other) { return Coincide(curve, other); });
    if (same == merged.end() || curve.epochs.empty()) {
      merged.push_back(std::move(curve));
      more.push_back(0);
      continue;
    }
    if (size_t& names = more[static_cast<size_t>(same - merged.begin())]; ++names < kMostNames) {
      absl::StrAppend(&same->name, ", ", curve.name);
    }
  }
  for (size_t i = 0; i < merged.size(); ++i) {
    if (more[i] >= kMostNames) {
      absl::StrAppend(&merged[i].name, " and ", more[i] - kMostNames + 1, " more");
    }
  }
  curves = std::move(merged);
}

}  // namespace

std::optional<Drawing> DrawCurves(const Table& table, const record::Plot& plot) {
  const std::string x_path = plot.x.empty() ? "curve.epoch" : plot.x;
  const std::string y_path = plot.y.empty() ? "curve.train_loss" : plot.y;
  // Near 100 % all accuracies look the same; what is missing tells them apart.
  const bool is_accuracy = IsPercentage(y_path) && absl::EndsWith(y_path, "accuracy");
  std::vector<Curve> curves =
      CurvesOf(table, plot, std::string(KeyOf(x_path)), std::string(KeyOf(y_path)));
  double largest_x = 0;
  double largest_y = 0;
  double smallest_y = std::numeric_limits<double>::infinity();  // above 0
  bool has_zero = false;
  for (Curve& curve : curves) {
    for (EpochValues& epoch : curve.epochs) {
      for (const double x : epoch.x) largest_x = std::max(largest_x, x);
      for (double& y : epoch.y) {
        if (is_accuracy) y = 1 - y;
        largest_y = std::max(largest_y, y);
        if (y > 0) smallest_y = std::min(smallest_y, y);
        has_zero |= y <= 0;
      }
    }
  }
  if (curves.size() > kFew) MergeCoinciding(curves);
  const bool few = curves.size() <= kFew;
  const Axis x_axis = AxisOf(x_path, largest_x);
  Axis y_axis = AxisOf(y_path, largest_y);
  if (is_accuracy) y_axis.label = absl::StrReplaceAll(y_axis.label, {{"accuracy", "error"}});
  // Tics between epochs would be noise, but of less than two epochs there is nothing else.
  constexpr double kFewestEpochs = 2, kMostEpochs = 15;
  const bool whole_epochs = KeyOf(x_path) == record::keys::kEpoch && largest_x >= kFewestEpochs &&
                            largest_x <= kMostEpochs;
  // Errors fall by factors: late ones lie on each other at the foot of a linear axis.
  constexpr double kErrorsFall = 4;
  const bool log_y = is_accuracy && !has_zero
                         ? largest_y >= kErrorsFall * smallest_y
                         : (plot.log_y || is_accuracy) && IsWide(smallest_y, largest_y);

  std::string data, bands, medians;
  size_t index = 0;
  size_t runs = 0;
  bool has_line = false;
  for (auto curve = curves.begin(); curve != curves.end(); ++curve) {
    const auto above =
        few ? std::count_if(curve + 1, curves.end(),
                            [&](const Curve& other) { return Coincide(*curve, other); })
            : 0;
    std::string lines;
    size_t points = 0;
    for (const EpochValues& epoch : curve->epochs) {
      if (epoch.y.empty()) continue;
      const auto [min, max] = std::minmax_element(epoch.y.begin(), epoch.y.end());
      if (log_y && *min <= 0) continue;
      absl::StrAppend(&lines, Literal(x_axis.factor * Median(epoch.x)), " ",
                      Literal(y_axis.factor * Median(epoch.y)), " ", Literal(y_axis.factor * *min),
                      " ", Literal(y_axis.factor * *max), "\n");
      runs = std::max(runs, epoch.y.size());
      ++points;
    }
    if (points == 0) continue;
    has_line |= points > 1;
    absl::StrAppend(&data, "$curve", index, " << END\n", lines, "END\n");
    const std::string color = absl::StrCat(" linecolor rgb '", SeriesColor(curve->color), "'");
    if (few) {
      absl::StrAppend(&bands, "$curve", index,
                      " using 1:3:4 with filledcurves fillstyle transparent solid 0.15 noborder",
                      color, " notitle, ");
    }
    absl::StrAppend(&medians, index == 0 ? "" : ", ", "$curve", index,
                    " using 1:2 with linespoints linewidth ",
                    kWidth + kWider * static_cast<double>(above), " pointtype ",
                    // A disc, a square, a triangle, where colours repeat.
                    7 - 2 * (curve->color / kSeriesColors % 3), " pointsize ",
                    curve->color < kSeriesColors ? "0.45" : "0.7", color, " dashtype ",
                    1 + curve->color / kSeriesColors, " title ", Quoted(curve->name));
    ++index;
  }
  if (!has_line) return std::nullopt;
  std::string script = absl::StrCat(
      data, "set xlabel ", Quoted(x_axis.label), " textcolor rgb '#4a525b'\nset ylabel ",
      Quoted(y_axis.label), " textcolor rgb '#4a525b'\n",
      "set key outside right center vertical font ',11'\n", whole_epochs ? "set xtics 1\n" : "",
      plot.log_x ? "set logscale x\n" : "",
      log_y ? LogScale("y", y_axis.factor * smallest_y, y_axis.factor * largest_y) : "",
      "set autoscale xfix\nset autoscale yfix\nset offsets graph 0.02, graph 0.02, graph 0.04, "
      "graph 0.04\n");
  if (plot.mark) {
    const double y = y_axis.factor * (is_accuracy ? 1 - *plot.mark : *plot.mark);
    absl::StrAppend(&script, "set arrow from graph 0, first ", Literal(y), " to graph 1, first ",
                    Literal(y), " nohead back linecolor rgb '#a33b20' dashtype 2\nset label ",
                    Quoted(absl::StrCat("aim: ", FormatValue(y_path, *plot.mark))),
                    " at graph 1, first ", Literal(y),
                    " right offset character -0.5,0.6 textcolor rgb '", kWarningColor,
                    "' font ',11'\n");
  }
  absl::StrAppend(&script, "plot ", bands, medians, "\n");
  std::string note =
      absl::StrCat(few && runs > 1 ? "median and, as a band, range of " : "median of ", Runs(runs),
                   plot.series.empty() ? "" : " of all variants");
  if (is_accuracy) note += "; error: 100 % less the accuracy";
  std::string label = Label(y_path);
  if (is_accuracy) label = absl::StrReplaceAll(label, {{"accuracy", "error"}});
  return Drawing{.title = absl::StrCat(label, " over ", Label(x_path)),
                 .note = std::move(note),
                 .script = std::move(script),
                 .shows_error = is_accuracy};
}

}  // namespace mlp::analysis
