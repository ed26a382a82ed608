#include "analysis/label_room.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "analysis/gnuplot.h"

namespace mlp::analysis {
namespace {

// About text and points, in pixels.
constexpr double kCharacterWidth = 7;
constexpr double kGap = 4;  // Between two names.
constexpr double kLineHeight = 14;
constexpr double kPointRadius = 5;

}  // namespace

double AxisScale::At(double value) const {
  if (high <= low) return 0.5;
  return log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
}

bool LabelRoom::Box::Overlaps(const Box& other) const {
  return left < other.right && other.left < right && bottom < other.top && other.bottom < top;
}

void LabelRoom::AddPoint(double x, double y) {
  taken_.push_back({x - kPointRadius, y - kPointRadius, x + kPointRadius, y + kPointRadius});
}

void LabelRoom::AddLine(double from_x, double from_y, double to_x, double to_y) {
  constexpr double kStep = 3;
  const double length = std::hypot(to_x - from_x, to_y - from_y);
  const auto steps = std::max<size_t>(1, static_cast<size_t>(length / kStep));
  for (size_t i = 0; i <= steps; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(steps);
    const double x = std::lerp(from_x, to_x, part);
    const double y = std::lerp(from_y, to_y, part);
    lines_.push_back({x - 1, y - 1, x + 1, y + 1});
  }
}

bool LabelRoom::IsFree(const Box& box, bool heed_lines) const {
  const auto overlaps = [&box](const Box& other) { return box.Overlaps(other); };
  return box.left >= 0 && box.bottom >= 0 && box.right <= width_ && box.top <= height_ &&
         std::ranges::none_of(taken_, overlaps) &&
         !(heed_lines && std::ranges::any_of(lines_, overlaps));
}

LabelRoom::Place LabelRoom::Find(double x, double y, size_t characters) {
  constexpr double kDistances[] = {8, 14, 22, 32, 44, 58, 74, 92};
  constexpr double kNear = 22;
  // Right, left, above and below, then the corners.
  constexpr double kDirections[][2] = {{1, 0},     {-1, 0},     {0, 1},      {0, -1},
                                       {0.7, 0.7}, {0.7, -0.7}, {-0.7, 0.7}, {-0.7, -0.7}};
  const double width = kCharacterWidth * static_cast<double>(characters);
  const auto box_at = [&](double distance, const double(&direction)[2]) {
    // Its middle, so that the side towards the point is `distance` away.
    const double middle_x = x + direction[0] * distance +
                            (direction[0] > 0   ? width / 2
                             : direction[0] < 0 ? -width / 2
                                                : 0);
    const double middle_y =
        y + direction[1] * distance + (direction[1] == 0 ? 0 : std::copysign(3, direction[1]));
    return Box{middle_x - width / 2, middle_y - kLineHeight / 2, middle_x + width / 2 + kGap,
               middle_y + kLineHeight / 2};
  };
  const auto place = [&](const Box& box, bool is_far) {
    taken_.push_back(box);
    const double middle = (box.bottom + box.top) / 2;
    return Place{box.left, middle, is_far, std::clamp(x, box.left, box.right),
                 std::clamp(y, box.bottom + 2, box.top - 2)};
  };
  for (const bool heed_lines : {true, false}) {
    for (const double distance : kDistances) {
      for (const auto& direction : kDirections) {
        const Box box = box_at(distance, direction);
        if (IsFree(box, heed_lines)) return place(box, distance > kNear);
      }
    }
  }
  return place(box_at(kDistances[0], kDirections[0]), false);
}

std::string PlacedLabel(const std::string& name, const LabelRoom::Place& place, double x, double y,
                        double width, double height) {
  const auto at = [&](double to_x, double to_y) {
    return absl::StrCat("graph ", Literal(to_x / width), ", graph ", Literal(to_y / height));
  };
  std::string script = absl::StrCat("set label ", Quoted(name), " at ", at(place.x, place.y),
                                    " left front textcolor rgb '", kTextColor, "' font ',11'\n");
  if (place.is_far) {
    absl::StrAppend(&script, "set arrow from ", at(place.end_x, place.end_y), " to ", at(x, y),
                    " nohead back linewidth 0.6 linecolor rgb '#9aa3ad'\n");
  }
  return script;
}

}  // namespace mlp::analysis
