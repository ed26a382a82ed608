// How people write the ten digits: for each one several ways to move the pen, as way points.
#pragma once

#include <array>
#include <vector>

namespace mlp::data {

// A point that the pen passes. Units: 1/100 of a digit's height, x to the right, y down; a digit
// spans about 60 x 100.
struct WayPoint {
  float x = 0;
  float y = 0;
  bool corner = false;      // the pen turns sharply here
  bool stroke_end = false;  // the pen leaves the paper after this point
};

// One way to write a digit.
struct Glyph {
  int weight = 1;  // how common it is among the glyphs of its digit
  std::vector<WayPoint> points;
};

// All glyphs of digit d at [d].
using Alphabet = std::array<std::vector<Glyph>, 10>;

// Made on the first call. No glyph has more than kMaxWayPoints points.
inline constexpr int kMaxWayPoints = 16;
const Alphabet& DigitGlyphs();

}  // namespace mlp::data
