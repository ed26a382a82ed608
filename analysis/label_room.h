// Room for names beside points: where the name of each point goes so that none covers another.
#pragma once

#include <cstddef>
#include <vector>

namespace mlp::analysis {

// From values to a part of the axis, 0 to 1.
struct AxisScale {
  double low;
  double high;
  bool log;

  double At(double value) const;
};

class LabelRoom {
 public:
  // Of the plot's area, in pixels.
  explicit LabelRoom(double width = 700, double height = 320) : width_(width), height_(height) {}

  // How many lines above (or, negative, below) a point at (x, y), in parts of the axes, a name of
  // so many characters finds room that no name before it has, nearest first.
  double FreeLine(double x, double y, size_t characters);

 private:
  struct Box {
    double left;
    double right;
    double middle;  // its height is a line's

    bool Overlaps(const Box& other) const;
  };

  const double width_;
  const double height_;
  std::vector<Box> taken_;
};

}  // namespace mlp::analysis
