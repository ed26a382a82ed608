#include "mlp/data/pen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace mlp::data {
namespace {

// The way points as Flatten should pass them.
bool Passes(const Trace& trace, const WayPoint& point) {
  for (const PenPoint& p : trace.points()) {
    if (std::abs(p.x - point.x) < 1e-3f && std::abs(p.y - point.y) < 1e-3f) return true;
  }
  return false;
}

TEST(FlattenTest, PassesAllWayPointsOfAllGlyphs) {
  for (const std::vector<Glyph>& glyphs : DigitGlyphs()) {
    EXPECT_GE(glyphs.size(), 4u);
    for (const Glyph& glyph : glyphs) {
      EXPECT_GT(glyph.weight, 0);
      const Trace trace = Flatten(glyph.points);
      size_t strokes = 0;
      for (const WayPoint& point : glyph.points) {
        EXPECT_TRUE(Passes(trace, point));
        strokes += point.stroke_end;
      }
      size_t begins = 0;
      for (const PenPoint& p : trace.points()) begins += p.stroke_begin;
      EXPECT_EQ(begins, strokes);
      EXPECT_TRUE(trace.points()[0].stroke_begin);
    }
  }
}

TEST(FlattenTest, CurvesStayNearTheWay) {
  // Eight points of a circle; the chords between them come 3.8 too near to its centre.
  std::vector<WayPoint> circle;
  for (int i = 0; i <= 8; ++i) {
    const double angle = i * std::numbers::pi / 4;
    circle.push_back(
        {static_cast<float>(50 * std::cos(angle)), static_cast<float>(50 * std::sin(angle))});
  }
  const Trace trace = Flatten(circle);
  for (const PenPoint& p : trace.points()) EXPECT_NEAR(std::hypot(p.x, p.y), 50, 2);
}

TEST(FlattenTest, CornersAndLinesAreStraight) {
  const std::vector<WayPoint> angle = {
      {.x = 0, .y = 0}, {.x = 40, .y = 0, .corner = true}, {.x = 40, .y = 60, .stroke_end = true}};
  const Trace trace = Flatten(angle);
  for (const PenPoint& p : trace.points()) {
    EXPECT_LT(std::min(std::abs(p.y), std::abs(p.x - 40)), 1e-4f);
  }
}

TEST(FlattenTest, CoincidingPointsAreHarmless) {
  const std::vector<WayPoint> points(kMaxWayPoints, WayPoint{5, 5});
  const Trace trace = Flatten(points);
  for (const PenPoint& p : trace.points()) {
    EXPECT_NEAR(p.x, 5, 1e-3);
    EXPECT_NEAR(p.y, 5, 1e-3);
  }
}

TEST(FlattenTest, TheLongestWayFits) {
  std::vector<WayPoint> zigzag(kMaxWayPoints);
  for (int i = 0; i < kMaxWayPoints; ++i) zigzag[i] = {i % 2 * 1000.0f, i * 100.0f};
  EXPECT_GT(Flatten(zigzag).points().size(), 100u);
}

TEST(DistanceToInkTest, IsTheDistanceFromATaperedStroke) {
  Trace trace;
  trace.Add({.x = 5, .y = 10, .radius = 1, .stroke_begin = true});
  trace.Add({.x = 21, .y = 10, .radius = 3});
  Field field;
  DistanceToInk(trace, 2, field);
  const auto at = [&](int row, int col) { return field[row * kDigitSide + col]; };
  EXPECT_FLOAT_EQ(at(10, 5), -1);
  EXPECT_FLOAT_EQ(at(10, 21), -3);
  EXPECT_FLOAT_EQ(at(10, 13), -2);
  EXPECT_FLOAT_EQ(at(13, 13), 1);
  EXPECT_FLOAT_EQ(at(10, 3), 1);
  EXPECT_FLOAT_EQ(at(6, 24), 2);
  EXPECT_EQ(at(27, 0), kFar);
}

TEST(DistanceToInkTest, NoInkBetweenStrokesAndNothingBeyondTheField) {
  Trace trace;
  trace.Add({.x = 2, .y = 2, .radius = 1, .stroke_begin = true});
  trace.Add({.x = 25, .y = 25, .radius = 1, .stroke_begin = true});
  trace.Add({.x = -50, .y = 14, .radius = 1, .stroke_begin = true});
  trace.Add({.x = 80, .y = 90, .radius = 1, .stroke_begin = true});
  Field field;
  DistanceToInk(trace, 1, field);
  EXPECT_FLOAT_EQ(field[2 * kDigitSide + 2], -1);
  EXPECT_FLOAT_EQ(field[25 * kDigitSide + 25], -1);
  EXPECT_EQ(field[14 * kDigitSide + 14], kFar);
}

}  // namespace
}  // namespace mlp::data
