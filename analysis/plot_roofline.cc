// What kernels attain under the roofs that the machine has: Williams, Waterman & Patterson,
// "Roofline: an insightful visual performance model", 2009.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "analysis/label_room.h"
#include "analysis/plot.h"
#include "analysis/value.h"

namespace mlp::analysis {
namespace {

constexpr char kFlopRate[] = "timings.flop_per_s";
constexpr char kByteRate[] = "timings.bytes_per_s";
constexpr char kIntensity[] = "metrics.flop_per_byte";
constexpr char kRoof[] = "params.roof";
constexpr char kFamily[] = "params.family";

constexpr int kWidth = 960;
constexpr int kHeight = 620;
// What the legend and the axes take.
constexpr Margins kMargins = {.left = 76, .right = 290, .bottom = 56};
constexpr double kAreaWidth = kWidth - kMargins.left - kMargins.right;
constexpr double kAreaHeight = kHeight - kMargins.bottom - kHeadHeight;

struct Roof {
  std::string name;
  double rate;  // flop/s, or bytes/s where it slants
};

struct Point {
  const Row* row;
  std::string family;
  double intensity;  // flop/byte
  Estimate rate;     // flop/s
};

// "235 Gflop/s", "79.7 GB/s".
std::string RateText(const Roof& roof, const char* unit) {
  return absl::StrCat(roof.name, ": ", Digits(1e-9 * roof.rate, 3), " ", unit);
}

// Points so near each other that their numbers stand together.
struct Cluster {
  double x;  // in pixels, of its first point
  double y;
  std::vector<std::string> numbers;
};

constexpr double kNear = 13;  // pixels

// Text along a roof, so far above it and of characters so wide, in pixels.
constexpr double kAboveRoof = 7;
constexpr double kRoofCharacter = 6.4;

// Beginning at (x, y) on a roof that rises by `slope` (radians), in pixels.
std::string RoofLabel(const std::string& text, double x, double y, double slope) {
  constexpr double kDegrees = 180 / 3.14159265358979;
  return absl::StrCat("set label ", Quoted(text), " at graph ",
                      Literal((x - kAboveRoof * std::sin(slope)) / kAreaWidth), ", graph ",
                      Literal((y + kAboveRoof * std::cos(slope)) / kAreaHeight), " left rotate by ",
                      Literal(kDegrees * slope), " textcolor rgb '", kTextColor, "' font ',10'\n");
}

}  // namespace

std::optional<Drawing> DrawRoofline(const Table& table, const record::Plot&) {
  std::vector<Roof> flat, slanted;
  std::vector<Point> points;
  std::vector<std::string> families;
  size_t most_runs = 0;
  for (const Row& row : table.rows) {
    if (table.IsAgain(row)) continue;
    const std::string roof = TextOf(row.runs.front(), kRoof);
    const std::optional<Estimate> flops = EstimateOf(row, kFlopRate);
    const std::optional<Estimate> bytes = EstimateOf(row, kByteRate);
    const std::optional<Estimate> intensity = EstimateOf(row, kIntensity);
    if (roof == "flop") {
      if (flops) flat.push_back({row.variant, flops->value});
    } else if (roof == "bytes") {
      if (bytes) slanted.push_back({row.variant, bytes->value});
    } else if (flops && intensity && flops->low > 0 && intensity->value > 0) {
      const std::string family = TextOf(row.runs.front(), kFamily);
      points.push_back({&row, family, intensity->value, *flops});
      most_runs = std::max(most_runs, flops->n);
      if (std::ranges::find(families, family) == families.end()) families.push_back(family);
    }
  }
  if (points.empty() || flat.empty()) return std::nullopt;
  const auto by_rate = [](const Roof& a, const Roof& b) { return a.rate > b.rate; };
  std::ranges::stable_sort(flat, by_rate);
  std::ranges::stable_sort(slanted, by_rate);

  double low_x = std::numeric_limits<double>::infinity(), high_x = 0;
  double low_y = std::numeric_limits<double>::infinity();
  const double top = flat.front().rate;
  for (const Point& point : points) {
    low_x = std::min(low_x, point.intensity);
    high_x = std::max(high_x, point.intensity);
    low_y = std::min(low_y, point.rate.low);
  }
  // Room at the sides for what is written along the roofs.
  low_x /= 2;
  high_x *= 2;
  low_y /= 2;
  const double high_y = 1.6 * top;
  constexpr double kGiga = 1e-9;
  const AxisScale x_scale = {low_x, high_x, true};
  const AxisScale y_scale = {low_y, high_y, true};

  std::string script = absl::StrCat(
      LogScale("x", low_x, high_x), LogScale("y", kGiga * low_y, kGiga * high_y), "set xrange [",
      Literal(low_x), ":", Literal(high_x), "]\nset yrange [", Literal(kGiga * low_y), ":",
      Literal(kGiga * high_y),
      "]\nset xlabel 'flop per byte that has to move' textcolor rgb '#4a525b'\nset ylabel "
      "'Gflop/s' textcolor rgb '#4a525b'\nset key at graph 1.015, graph 1 left top vertical "
      "samplen 1 spacing 0.95 font ',11'\n");
  LabelRoom room(kAreaWidth, kAreaHeight);
  const auto pixel_x = [&](double intensity) { return kAreaWidth * x_scale.At(intensity); };
  const auto pixel_y = [&](double rate) { return kAreaHeight * y_scale.At(rate); };
  std::vector<std::string> plots;
  // All points lie below the highest flat roof; it begins where the steepest slope meets it.
  for (const Roof& roof : flat) {
    const double begin =
        slanted.empty() ? low_x : std::clamp(roof.rate / slanted.front().rate, low_x, high_x);
    script += RoofLabel(RateText(roof, "Gflop/s"), pixel_x(begin) + 8, pixel_y(roof.rate), 0);
    room.AddLine(pixel_x(begin), pixel_y(roof.rate), kAreaWidth, pixel_y(roof.rate));
    plots.push_back(absl::StrCat("(x >= ", Literal(begin), " ? ", Literal(kGiga * roof.rate),
                                 " : NaN) with lines linewidth 2 linecolor rgb '", kBaselineColor,
                                 "' notitle"));
  }
  // One flop per byte more is one times the rate more: on logarithmic axes all slopes are one.
  const double slope =
      std::atan2(kAreaHeight / std::log(high_y / low_y), kAreaWidth / std::log(high_x / low_x));
  for (const Roof& roof : slanted) {
    const double end = std::min(high_x, top / roof.rate);
    // Where the line comes into the picture, at the left or from below.
    const double begin = std::max(low_x, low_y / roof.rate);
    if (begin >= end) continue;
    const double x = pixel_x(begin), y = pixel_y(begin * roof.rate);
    const std::string text = RateText(roof, "GB/s");
    script += RoofLabel(text, x + 14 * std::cos(slope), y + 14 * std::sin(slope), slope);
    room.AddLine(x, y, pixel_x(end), pixel_y(end * roof.rate));
    // The text above it.
    const double length = kRoofCharacter * static_cast<double>(text.size());
    const double up_x = x - kAboveRoof * std::sin(slope), up_y = y + kAboveRoof * std::cos(slope);
    room.AddLine(up_x, up_y, up_x + length * std::cos(slope), up_y + length * std::sin(slope));
    plots.push_back(absl::StrCat(
        "(x >= ", Literal(begin), " && x <= ", Literal(end), " ? ", Literal(kGiga * roof.rate),
        " * x : NaN) with lines linewidth 1.3 linecolor rgb '", kBaselineColor, "' notitle"));
  }
  // A number at each point, and what it stands for beside the plot: names would cover each other.
  std::string data;
  std::vector<Cluster> clusters;
  int number = 0;
  for (size_t f = 0; f < families.size(); ++f) {
    for (const Point& point : points) {
      if (point.family != families[f]) continue;
      const std::string label = absl::StrCat(++number);
      const double x = pixel_x(point.intensity);
      const double y = pixel_y(point.rate.value);
      room.AddPoint(x, y);
      const auto near = std::ranges::find_if(clusters, [&](const Cluster& cluster) {
        return std::hypot(cluster.x - x, cluster.y - y) < kNear;
      });
      if (near != clusters.end()) {
        near->numbers.push_back(label);
      } else {
        clusters.push_back({x, y, {label}});
      }
      absl::StrAppend(&data, "$point", number, " << END\n", Literal(point.intensity), " ",
                      Literal(kGiga * point.rate.value), " ", Literal(kGiga * point.rate.low), " ",
                      Literal(kGiga * point.rate.high), "\nEND\n");
      plots.push_back(absl::StrCat(
          "$point", number,
          " using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.8 "
          "linewidth 1 linecolor rgb '",
          SeriesColor(f), "' notitle, $point", number,
          " using 1:2 with points pointtype 7 pointsize 0.8 linecolor rgb '", SeriesColor(f),
          "' title ", Quoted(absl::StrFormat("%2s  %s", label, point.row->variant))));
    }
  }
  for (const Cluster& cluster : clusters) {
    const std::string text = absl::StrJoin(cluster.numbers, ", ");
    script += PlacedLabel(text, room.Find(cluster.x, cluster.y, text.size(), kNear), cluster.x,
                          cluster.y, kAreaWidth, kAreaHeight);
  }
  absl::StrAppend(&script, data, "set samples 1000\nplot ");
  for (size_t i = 0; i < plots.size(); ++i) {
    absl::StrAppend(&script, i == 0 ? "" : ", \\\n  ", plots[i]);
  }
  script += "\n";
  Drawing drawing = {
      .title = "Attained rates under the measured roofs",
      .note = absl::StrCat(MediansOf(most_runs), "; grey lines: the machine's roofs"),
      .width = kWidth,
      .height = kHeight};
  drawing.script = SetMargins(drawing, kMargins) + script;
  return drawing;
}

}  // namespace mlp::analysis
