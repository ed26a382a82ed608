#include "mlp/data/pen.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "mlp/base/check.h"

namespace mlp::data {
namespace {

constexpr int kMaxSteps = 10;
constexpr float kStepLength = 8;  // 1/100 of a digit's height: about 1.5 pixels

struct Vec2 {
  float x, y;
};
Vec2 operator+(Vec2 a, Vec2 b) { return {a.x + b.x, a.y + b.y}; }
Vec2 operator-(Vec2 a, Vec2 b) { return {a.x - b.x, a.y - b.y}; }
Vec2 operator*(float s, Vec2 a) { return {s * a.x, s * a.y}; }
float Length(Vec2 a) { return std::sqrt(a.x * a.x + a.y * a.y); }
Vec2 Position(const WayPoint& p) { return {p.x, p.y}; }

// The derivative at p1 of the parabola through three points, given the two parameter intervals.
Vec2 Tangent(Vec2 p0, Vec2 p1, Vec2 p2, float d0, float d1) {
  const Vec2 before = (1 / d0) * (p1 - p0);
  const Vec2 after = (1 / d1) * (p2 - p1);
  const float w = d0 / (d0 + d1);
  return (1 - w) * before + w * after;
}

// Square root of the chord: the centripetal parameter. The bound keeps coinciding points harmless.
float Interval(Vec2 a, Vec2 b) { return std::sqrt(std::max(Length(b - a), 0.01f)); }

}  // namespace

void Trace::Add(const PenPoint& point) {
  MLP_CHECK_LT(size_, points_.size());
  points_[size_++] = point;
}

Trace Flatten(std::span<const WayPoint> points) {
  Trace trace;
  bool begin = true;
  for (size_t i = 0; i < points.size(); ++i) {
    const Vec2 p1 = Position(points[i]);
    if (begin) trace.Add({.x = p1.x, .y = p1.y, .stroke_begin = true});
    const bool smooth_before = !begin && !points[i].corner;
    begin = points[i].stroke_end;
    if (begin || i + 1 == points.size()) continue;

    const Vec2 p2 = Position(points[i + 1]);
    const float d = Interval(p1, p2);
    const Vec2 chord = (1 / d) * (p2 - p1);
    Vec2 m1 = chord;
    Vec2 m2 = chord;
    const bool ends = points[i + 1].stroke_end || i + 2 == points.size();
    const bool smooth_after = !ends && !points[i + 1].corner;
    if (smooth_before) {
      const Vec2 p0 = Position(points[i - 1]);
      m1 = Tangent(p0, p1, p2, Interval(p0, p1), d);
    }
    if (smooth_after) {
      const Vec2 p3 = Position(points[i + 2]);
      m2 = Tangent(p1, p2, p3, d, Interval(p2, p3));
    }
    // At a free end the curve goes on bending as it does at the other one.
    if (!smooth_before) m1 = 1.5f * chord - 0.5f * m2;
    if (!smooth_after) m2 = 1.5f * chord - 0.5f * m1;
    const int steps = std::clamp(static_cast<int>(Length(p2 - p1) / kStepLength) + 1, 1, kMaxSteps);
    for (int k = 1; k <= steps; ++k) {
      // Hermite's basis.
      const float t = static_cast<float>(k) / static_cast<float>(steps);
      const float t2 = t * t;
      const float t3 = t2 * t;
      const Vec2 p = (2 * t3 - 3 * t2 + 1) * p1 + (3 * t2 - 2 * t3) * p2 +
                     (d * (t3 - 2 * t2 + t)) * m1 + (d * (t3 - t2)) * m2;
      trace.Add({.x = p.x, .y = p.y});
    }
  }
  return trace;
}

void DistanceToInk(const Trace& trace, float reach, Field& field) {
  constexpr int kLanes = 4;
  static_assert(kDigitSide % kLanes == 0);
  field.fill(kFar);
  const std::span<const PenPoint> points = trace.points();
  for (size_t i = 0; i < points.size(); ++i) {
    const PenPoint& b = points[i];
    const PenPoint& a = b.stroke_begin ? b : points[i - 1];
    const float dx = b.x - a.x;
    const float dy = b.y - a.y;
    const float length2 = dx * dx + dy * dy;
    const float inverse = length2 > 0 ? 1 / length2 : 0;
    const float dr = b.radius - a.radius;
    const float margin = std::max(a.radius, b.radius) + reach;
    const auto first = [&](float v) { return static_cast<int>(std::max(v - margin, 0.0f)); };
    const auto last = [&](float v) {
      return std::min(static_cast<int>(std::max(v + margin, -1.0f)) + 1, kDigitSide);
    };
    const int row_begin = first(std::min(a.y, b.y));
    const int row_end = last(std::max(a.y, b.y));
    // Whole groups of pixels, so that the compiler's vectors leave no tail.
    const int col_begin = first(std::min(a.x, b.x)) / kLanes * kLanes;
    const int groups = (last(std::max(a.x, b.x)) - col_begin + kLanes - 1) / kLanes;
    for (int row = row_begin; row < row_end; ++row) {
      const float py = static_cast<float>(row) - a.y;
      float* pixels = field.data() + row * kDigitSide + col_begin;
      for (int k = 0; k < groups * kLanes; ++k) {
        const float px = static_cast<float>(col_begin + k) - a.x;
        const float t = std::min(std::max((px * dx + py * dy) * inverse, 0.0f), 1.0f);
        const float ex = px - t * dx;
        const float ey = py - t * dy;
        const float distance = std::sqrt(ex * ex + ey * ey) - (a.radius + t * dr);
        pixels[k] = std::min(distance, pixels[k]);
      }
    }
  }
}

}  // namespace mlp::data
