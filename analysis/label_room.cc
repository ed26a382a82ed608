#include "analysis/label_room.h"

#include <algorithm>
#include <cmath>

namespace mlp::analysis {
namespace {

// About text, in pixels.
constexpr double kCharacterWidth = 7;
constexpr double kLineHeight = 14;

}  // namespace

double AxisScale::At(double value) const {
  if (high <= low) return 0.5;
  return log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
}

bool LabelRoom::Box::Overlaps(const Box& other) const {
  return left < other.right && other.left < right && std::abs(middle - other.middle) < kLineHeight;
}

double LabelRoom::FreeLine(double x, double y, size_t characters) {
  constexpr double kLines[] = {0.6, -0.6, 1.6, -1.6, 2.6, -2.6, 3.6, -3.6, 4.6, -4.6};
  const auto box_at = [&](double lines) {
    const double left = width_ * x;
    return Box{left, left + kCharacterWidth * static_cast<double>(characters),
               height_ * y + lines * kLineHeight};
  };
  double lines = kLines[0];
  for (const double candidate : kLines) {
    const Box box = box_at(candidate);
    if (std::ranges::none_of(taken_, [&](const Box& other) { return box.Overlaps(other); })) {
      lines = candidate;
      break;
    }
  }
  taken_.push_back(box_at(lines));
  return lines;
}

}  // namespace mlp::analysis
