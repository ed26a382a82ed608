// From way points to a picture: a smooth curve through them, and a pen of varying width along it.
//
// Only + - * / and square roots of IEEE floats in a fixed order: every build that fuses none of
// them (as bazel/copts.bzl asks) draws the same bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "mlp/data/strokes.h"

namespace mlp::data {

inline constexpr int kDigitSide = 28;
inline constexpr int kDigitPixels = kDigitSide * kDigitSide;

struct PenPoint {
  float x = 0;
  float y = 0;
  float radius = 0;           // of the pen's tip
  bool stroke_begin = false;  // no ink between the point before and this one
};

// A chain of pen points, without allocation.
class Trace {
 public:
  void Add(const PenPoint& point);
  std::span<PenPoint> points() { return {points_.data(), size_}; }
  std::span<const PenPoint> points() const { return {points_.data(), size_}; }

 private:
  // 16 way points have 15 pieces of at most 10 steps each.
  std::array<PenPoint, 160> points_;
  size_t size_ = 0;
};

// The centripetal Catmull-Rom curve through the points of each stroke (Yuksel, Schaefer, Keyser,
// "On the parameterization of Catmull-Rom curves", 2009), broken at corners, as short chords.
// The last point ends its stroke in any case. Radii are left 0.
Trace Flatten(std::span<const WayPoint> points);

// The distance of each pixel's centre from the edge of the ink, negative inside, in pixels; at
// least kFar where no ink is near.
inline constexpr float kFar = 8;
using Field = std::array<float, kDigitPixels>;  // [row, column]

// Coordinates in pixels; pixel (r, c) has its centre at x = c, y = r. Distances up to `reach`
// outside the ink are exact.
void DistanceToInk(const Trace& trace, float reach, Field& field);

}  // namespace mlp::data
