// Horizontal bars: names of variants are long, and stand at the left in full. Points instead where
// bars from 0 would all look the same, as those of accuracies do.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "analysis/plot.h"
#include "analysis/value.h"

namespace mlp::analysis {
namespace {

struct Bar {
  const Row* row = nullptr;
  std::optional<Estimate> estimate;
};

std::string ValueText(const std::string& path, const Estimate& estimate) {
  return path.empty() ? absl::StrCat(Digits(estimate.value, 3), "\u00d7")
                      : FormatValue(path, estimate.value);
}

}  // namespace

std::optional<Drawing> DrawBars(const Table& table, const record::Plot& plot) {
  // "" is the speed-up, which has no path.
  std::string path = plot.y;
  const Row* baseline = table.Find(table.view.baseline);
  if (path.empty() && (baseline == nullptr || !baseline->speedup)) path = table.view.primary;

  std::vector<Bar> bars;
  double highest = 0;
  double lowest_positive = 0;
  for (const Row& row : table.rows) {
    Bar bar{.row = &row, .estimate = path.empty() ? row.speedup : EstimateOf(row, path)};
    if (bar.estimate) {
      highest = std::max(highest, bar.estimate->high);
      if (bar.estimate->low > 0 && (lowest_positive == 0 || bar.estimate->low < lowest_positive)) {
        lowest_positive = bar.estimate->low;
      }
    }
    bars.push_back(bar);
  }
  if (highest <= 0) return std::nullopt;

  const Axis axis =
      path.empty()
          ? Axis{.label = absl::StrCat(IsSpeed(table.view.primary) ? "speed-up" : "gain", " over ",
                                       table.view.baseline, " (times; higher is better)")}
          : AxisOf(path, highest);
  // Bars that a linear axis can show are better read there: their lengths mean something.
  const bool log_x = plot.log_x && lowest_positive > 0 && highest > 10 * lowest_positive;
  // Values, that is: speed-ups are read from 0.
  const bool points = !path.empty() && !log_x && lowest_positive > 0.5 * highest;
  const double margin = points ? 0.12 * std::max(highest - lowest_positive, 0.01 * highest) : 0;
  // A logarithmic bar has to start somewhere; a linear one starts at 0.
  const double start = log_x ? lowest_positive / 2 : points ? lowest_positive - margin : 0;
  const auto count = static_cast<double>(bars.size());

  // Notes of rows without a bar stand clear of the line that marks the baseline.
  const double note_x = path.empty() ? std::max(start, 1.0) : axis.factor * start;

  // Row i is at height -i: the first one on top.
  std::string data, tics, labels;
  for (size_t i = 0; i < bars.size(); ++i) {
    const Bar& bar = bars[i];
    const std::string y = Literal(-static_cast<double>(i));
    absl::StrAppend(&tics, tics.empty() ? "" : ", ", Quoted(bar.row->variant), " ", y);
    if (!bar.estimate) {
      const char* why = bar.row->failed > 0    ? "failed"
                        : bar.row->skipped > 0 ? "skipped"
                                               : "no data";
      absl::StrAppend(&labels, "set label ", Quoted(why), " at first ", Literal(note_x), ", first ",
                      y, " left offset character 1,0 textcolor rgb '#a33b20' font ',11'\n");
      continue;
    }
    const int group = table.IsBaseline(*bar.row) ? 1 : table.IsAgain(*bar.row) ? 2 : 0;
    const double scale = axis.factor;
    absl::StrAppend(&data, Literal(scale * bar.estimate->value), " ", y, " ",
                    Literal(scale * bar.estimate->low), " ", Literal(scale * bar.estimate->high),
                    " ", group, "\n");
    absl::StrAppend(&labels, "set label ", Quoted(ValueText(path, *bar.estimate)), " at first ",
                    Literal(scale * std::max(bar.estimate->high, bar.estimate->value)), ", first ",
                    y, " left offset character 1,0 textcolor rgb '", kTextColor, "' font ',11'\n");
  }

  std::string script = absl::StrCat(
      "$bars << END\n", data, "END\n", labels, "set ytics (", tics, ") scale 0\n", "set yrange [",
      Literal(0.6 - count), ":0.6]\n", "unset key\nunset grid\n",
      "set grid xtics linecolor rgb '#e6e9ec' linetype 1 back\nset border 2\n",
      log_x ? "set logscale x\n" : "", "set xrange [", Literal(axis.factor * start), ":",
      // Room for the numbers at the bars' ends.
      Literal(axis.factor * (log_x    ? highest * 2.5
                             : points ? highest + 2 * margin
                                      : highest * 1.18)),
      "]\n", "set xlabel ", Quoted(axis.label), " textcolor rgb '#4a525b'\n",
      "set tmargin at screen ", Literal(1 - 46 / (88 + 34 * count)), "\n");
  if (path.empty() && !log_x) {
    absl::StrAppend(&script, "set arrow from first 1, graph 0 to first 1, graph 1 nohead back ",
                    "linecolor rgb '#6b7580' dashtype 3\n");
  }
  absl::StrAppend(&script, "start = ", Literal(axis.factor * start),
                  "\nset style fill solid 1 noborder\n"
                  "color(group) = group == 1 ? 0x8a94a0 : group == 2 ? 0xc3cad1 : 0x0072b2\n"
                  "plot $bars using ",
                  points ? "1:2:(color($5)) with points pointtype 7 pointsize 1.2"
                         : "1:2:(start):1:($2 - 0.33):($2 + 0.33):(color($5)) with boxxyerror",
                  " linecolor rgb variable, "
                  "$bars using 1:2:3:4 with xerrorbars pointtype 0 linecolor rgb '",
                  kTextColor, "' linewidth 1\n");
  return Drawing{.title = path.empty() ? "" : Label(path),
                 .script = script,
                 .height = 88 + static_cast<int>(34 * count)};
}

}  // namespace mlp::analysis
