// Horizontal bars: names of variants are long, and stand at the left in full, numbers at the right.
// Points instead where a bar's length would mean nothing: on a logarithmic axis, and where bars
// from 0 would all look the same, as those of accuracies do.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "analysis/plot.h"
#include "analysis/value.h"

namespace mlp::analysis {
namespace {

struct Range {
  double lowest = 0;  // above 0; 0: no value is
  double highest = 0;

  void Add(double low, double high) {
    highest = std::max(highest, high);
    if (low > 0 && (lowest == 0 || low < lowest)) lowest = low;
  }
};

// What the bars of `plot` show in this table: a path, "" for the speed-up.
std::string PathOf(const Table& table, const record::Plot& plot) {
  if (!plot.y.empty() || table.by_difference) {
    return plot.y.empty() ? table.view.primary : plot.y;
  }
  const Row* baseline = table.Find(table.view.baseline);
  return baseline == nullptr || !baseline->speedup ? table.view.primary : "";
}

std::optional<Estimate> ValueIn(const Row& row, const std::string& path) {
  return path.empty() ? row.speedup : EstimateOf(row, path);
}

Range RangeOf(const Table& table, const std::string& path, Range range = {}) {
  for (const Row& row : table.rows) {
    if (const auto estimate = ValueIn(row, path)) range.Add(estimate->low, estimate->high);
  }
  return range;
}

// Of all speed-ups that are drawn beside these, so that lengths can be compared.
Range SharedRange(const Table& table, const record::Plot& plot, std::span<const Table> siblings) {
  Range range = RangeOf(table, PathOf(table, plot));
  if (!PathOf(table, plot).empty()) return range;
  for (const Table& sibling : siblings) {
    if (IsSpeed(sibling.view.primary) != IsSpeed(table.view.primary)) continue;
    for (const record::Plot& other : sibling.view.plots) {
      if (other.kind == "bars" && other.log_x == plot.log_x && PathOf(sibling, other).empty()) {
        range = RangeOf(sibling, "", range);
      }
    }
  }
  return range;
}

std::string SpeedUpLabel(const record::View& view) {
  if (IsSpeed(view.primary)) {
    return absl::StrCat("times as fast as ", view.baseline, " (higher is better)");
  }
  return absl::StrCat("how many times ", *view.higher_is_better ? "higher" : "lower", " the ",
                      Label(view.primary), " is than that of ", view.baseline);
}

std::string ValueText(const std::string& path, const Estimate& estimate) {
  return path.empty() ? absl::StrCat(Digits(estimate.value, 3), "\u00d7")
                      : FormatValue(path, estimate.value);
}

std::string VerticalLine(double x, const char* style) {
  return absl::StrCat("set arrow from first ", Literal(x), ", graph 0 to first ", Literal(x),
                      ", graph 1 nohead back linecolor rgb ", style, "\n");
}

}  // namespace

std::optional<Drawing> DrawBars(const Table& table, const record::Plot& plot,
                                std::span<const Table> siblings) {
  const std::string path = PathOf(table, plot);
  const bool is_speedup = path.empty();
  if (RangeOf(table, path).highest <= 0) return std::nullopt;
  Range range = SharedRange(table, plot, siblings);
  if (is_speedup) range.Add(1, 1);
  if (plot.mark) range.Add(*plot.mark, *plot.mark);

  const Axis axis =
      is_speedup ? Axis{.label = SpeedUpLabel(table.view)} : AxisOf(path, range.highest);
  // Bars that a linear axis can show are better read there: their lengths mean something.
  const bool log_x = plot.log_x && range.lowest > 0 && IsWide(range.lowest, range.highest);
  const bool near = !is_speedup && !log_x && range.lowest > 0.5 * range.highest;
  const bool points = log_x || near;
  const double margin =
      near ? 0.12 * std::max(range.highest - range.lowest, 0.01 * range.highest) : 0;
  const double start = log_x ? range.lowest / 1.3 : near ? range.lowest - margin : 0;
  const double end = log_x  ? range.highest * 1.3
                     : near ? range.highest + margin
                            : 1.05 * range.highest;
  const auto count = static_cast<double>(table.rows.size());

  // Row i is at height -i: the first one on top.
  std::string data, tics, labels;
  size_t most_runs = 0;
  for (size_t i = 0; i < table.rows.size(); ++i) {
    const Row& row = table.rows[i];
    const std::string y = Literal(-static_cast<double>(i));
    absl::StrAppend(&tics, tics.empty() ? "" : ", ",
                    Quoted(absl::StrCat(row.variant, ThreadsMark(table, row),
                                        row.checked ? "" : " (not checked)")),
                    " ", y);
    const std::optional<Estimate> estimate = ValueIn(row, path);
    const char* const why = row.failed > 0 ? "failed" : row.skipped > 0 ? "skipped" : "no data";
    absl::StrAppend(&labels, "set label ",
                    Quoted(estimate ? ValueText(path, *estimate) : std::string(why)),
                    " at graph 1, first ", y, " right offset character 10,0 textcolor rgb '",
                    estimate ? kTextColor : kWarningColor, "' font ',12'\n");
    if (!estimate) continue;
    most_runs = std::max(most_runs, estimate->n);
    const int group = table.IsBaseline(row) ? 1 : table.IsAgain(row) ? 2 : 0;
    const double scale = axis.factor;
    absl::StrAppend(&data, Literal(scale * estimate->value), " ", y, " ",
                    Literal(scale * estimate->low), " ", Literal(scale * estimate->high), " ",
                    group, "\n");
  }

  std::string script = absl::StrCat(
      "$bars << END\n", data, "END\n", labels, "set ytics (", tics, ") scale 0\n", "set yrange [",
      Literal(0.6 - count), ":0.6]\n", "unset key\nunset grid\n",
      "set grid xtics linecolor rgb '#e6e9ec' linetype 1 back\nset border 2\nset rmargin 11\n",
      log_x ? LogScale("x", axis.factor * start, axis.factor * end) : "", "set xrange [",
      Literal(axis.factor * start), ":", Literal(axis.factor * end), "]\n", "set xlabel ",
      Quoted(axis.label), " textcolor rgb '#4a525b'\n");
  if (is_speedup) script += VerticalLine(1, "'#6b7580' dashtype 3");
  if (plot.mark) {
    const double x = axis.factor * *plot.mark;
    absl::StrAppend(&script, VerticalLine(x, "'#a33b20' dashtype 2"), "set label ",
                    Quoted(FormatValue(path, *plot.mark)), " at first ", Literal(x),
                    ", graph 1 center offset character 0,0.6 textcolor rgb '", kWarningColor,
                    "' font ',11'\n");
  }
  const std::string whiskers =
      absl::StrCat("$bars using 1:2:3:4 with xerrorbars pointtype 0 linecolor rgb '", kTextColor,
                   "' linewidth 1");
  absl::StrAppend(&script,
                  "set style fill solid 1 noborder\n"
                  "color(group) = group == 1 ? 0x8a94a0 : group == 2 ? 0xc3cad1 : "
                  "0x0072b2\nplot ");
  if (points) {
    // The whiskers below, so that the points are seen; the pale one has an edge.
    absl::StrAppend(&script, whiskers,
                    ", $bars using 1:2:(color($5)) with points pointtype 7 pointsize 1.2 linecolor "
                    "rgb variable, $bars using 1:($5 == 2 ? $2 : NaN) with points pointtype 6 "
                    "pointsize 1.2 linecolor rgb '#4a525b'\n");
  } else {
    absl::StrAppend(&script,
                    "$bars using 1:2:(0):1:($2 - 0.33):($2 + 0.33):(color($5)) with "
                    "boxxyerror linecolor rgb variable, ",
                    whiskers, "\n");
  }
  const bool has_again = table.Find(table.view.baseline_again) != nullptr;
  return Drawing{.title = is_speedup ? "" : Label(path),
                 .note = absl::StrCat("n = ", most_runs, "; grey: baseline",
                                      has_again ? ", pale: again (A/A)" : "",
                                      near ? "; the axis does not begin at 0" : ""),
                 .script = script,
                 .height = 108 + static_cast<int>(34 * count)};
}

}  // namespace mlp::analysis
