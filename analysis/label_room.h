// Room for names in a drawing: where each goes so that it covers neither points nor lines nor other
// names, and stays within the frame. All in pixels, from the lower left corner of the plot's area.
#pragma once

#include <cstddef>
#include <string>
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
  LabelRoom(double width, double height) : width_(width), height_(height) {}

  // Nothing may cover a point or another name; a line only where there is no other room.
  void AddPoint(double x, double y);
  void AddLine(double from_x, double from_y, double to_x, double to_y);

  // Where a name of so many characters for the point at (x, y) begins, and the height of its
  // middle. Points within `radius` of it share the name.
  struct Place {
    double x;
    double y;
    bool is_far;   // A line has to lead to the point, as it is far or another one is nearer.
    double end_x;  // Where that line ends.
    double end_y;
  };
  Place Find(double x, double y, size_t characters, double radius = 0);

 private:
  struct Box {
    double left;
    double bottom;
    double right;
    double top;

    bool Overlaps(const Box& other) const;
    double DistanceTo(double x, double y) const;
  };

  // What a place has to stay off; points and other names it never covers.
  enum class Heed { kLinesAndLeaders, kLeaders, kNothing };
  bool IsFree(const Box& box, Heed heed) const;
  // Small boxes along a line.
  static std::vector<Box> Along(double from_x, double from_y, double to_x, double to_y);
  bool IsNearerToAnother(const Box& box, double x, double y, double radius) const;

  const double width_;
  const double height_;
  std::vector<Box> points_;
  std::vector<Box> names_;
  std::vector<Box> lines_;
  std::vector<Box> leaders_;  // From names to their points.
};

// The commands that write a name there, with a line to its point at (x, y) if that is far, in a
// plot's area of this size.
std::string PlacedLabel(const std::string& name, const LabelRoom::Place& place, double x, double y,
                        double width, double height);

}  // namespace mlp::analysis
