#include "analysis/label_room.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "analysis/gnuplot.h"

namespace mlp::analysis {
namespace {

// About text and points, in pixels.
constexpr double kCharacterWidth = 6;
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

double LabelRoom::Box::DistanceTo(double x, double y) const {
  return std::hypot(x - std::clamp(x, left, right), y - std::clamp(y, bottom, top));
}

void LabelRoom::AddPoint(double x, double y) {
  points_.push_back({x - kPointRadius, y - kPointRadius, x + kPointRadius, y + kPointRadius});
}

void LabelRoom::AddLine(double from_x, double from_y, double to_x, double to_y) {
  std::ranges::copy(Along(from_x, from_y, to_x, to_y), std::back_inserter(lines_));
}

std::vector<LabelRoom::Box> LabelRoom::Along(double from_x, double from_y, double to_x,
                                             double to_y) {
  std::vector<Box> boxes;
  constexpr double kStep = 3;
  const double length = std::hypot(to_x - from_x, to_y - from_y);
  const auto steps = std::max<size_t>(1, static_cast<size_t>(length / kStep));
  for (size_t i = 0; i <= steps; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(steps);
    const double x = std::lerp(from_x, to_x, part);
    const double y = std::lerp(from_y, to_y, part);
    boxes.push_back({x - 1, y - 1, x + 1, y + 1});
  }
  return boxes;
}

bool LabelRoom::IsFree(const Box& box, Heed heed) const {
  const auto overlaps = [&box](const Box& other) { return box.Overlaps(other); };
  return box.left >= 0 && box.bottom >= 0 && box.right <= width_ && box.top <= height_ &&
         std::ranges::none_of(points_, overlaps) && std::ranges::none_of(names_, overlaps) &&
         (heed == Heed::kNothing || std::ranges::none_of(leaders_, overlaps)) &&
         (heed != Heed::kLinesAndLeaders || std::ranges::none_of(lines_, overlaps));
}

bool LabelRoom::IsNearerToAnother(const Box& box, double x, double y, double radius) const {
  const double distance = box.DistanceTo(x, y);
  return std::ranges::any_of(points_, [&](const Box& point) {
    const double other_x = (point.left + point.right) / 2;
    const double other_y = (point.bottom + point.top) / 2;
    return std::hypot(other_x - x, other_y - y) > radius &&
           box.DistanceTo(other_x, other_y) < distance;
  });
}

LabelRoom::Place LabelRoom::Find(double x, double y, size_t characters, double radius) {
  constexpr double kDistances[] = {8, 14, 22, 32, 44, 58, 74, 92};
  constexpr double kNear = 14;
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
  const auto place_at = [&](const Box& box, double distance) {
    return Place{.x = box.left,
                 .y = (box.bottom + box.top) / 2,
                 .is_far = distance > kNear || IsNearerToAnother(box, x, y, radius),
                 .end_x = std::clamp(x, box.left, box.right),
                 .end_y = std::clamp(y, box.bottom + 2, box.top - 2)};
  };
  const auto take = [&](const Box& box, const Place& place, const std::vector<Box>& leader) {
    names_.push_back(box);
    std::ranges::copy(leader, std::back_inserter(leaders_));
    return place;
  };
  for (const Heed heed : {Heed::kLinesAndLeaders, Heed::kLeaders, Heed::kNothing}) {
    for (const double distance : kDistances) {
      for (const auto& direction : kDirections) {
        const Box box = box_at(distance, direction);
        if (!IsFree(box, heed)) continue;
        const Place place = place_at(box, distance);
        std::vector<Box> leader;
        if (place.is_far) leader = Along(place.end_x, place.end_y, x, y);
        const bool crosses_name = std::ranges::any_of(leader, [this](const Box& part) {
          return std::ranges::any_of(names_,
                                     [&part](const Box& name) { return part.Overlaps(name); });
        });
        if (heed == Heed::kNothing || !crosses_name) return take(box, place, leader);
      }
    }
  }
  const Box box = box_at(kDistances[0], kDirections[0]);
  return take(box, place_at(box, kDistances[0]), {});
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
