#include "analysis/label_room.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

namespace mlp::analysis {
namespace {

constexpr double kWidth = 400;
constexpr double kHeight = 300;
constexpr size_t kCharacters = 10;
// At least what so many characters take.
constexpr double kTextWidth = 60;

bool Covers(const LabelRoom::Place& place, double x, double y) {
  return x > place.x && x < place.x + kTextWidth && y > place.y - 5 && y < place.y + 5;
}

TEST(LabelRoomTest, ALonePointHasItsNameAtTheRight) {
  LabelRoom room(kWidth, kHeight);
  room.AddPoint(100, 100);
  const LabelRoom::Place place = room.Find(100, 100, kCharacters);
  EXPECT_GT(place.x, 105);
  EXPECT_EQ(place.y, 100);
  EXPECT_FALSE(place.is_far);
}

TEST(LabelRoomTest, NamesStayWithinTheFrame) {
  for (const double x : {2.0, 200.0, 398.0}) {
    for (const double y : {2.0, 150.0, 298.0}) {
      LabelRoom room(kWidth, kHeight);
      room.AddPoint(x, y);
      const LabelRoom::Place place = room.Find(x, y, kCharacters);
      EXPECT_GE(place.x, 0);
      EXPECT_LE(place.x + kTextWidth, kWidth);
      EXPECT_GE(place.y, 5);
      EXPECT_LE(place.y, kHeight - 5);
    }
  }
}

TEST(LabelRoomTest, NamesCoverNeitherPointsNorEachOther) {
  LabelRoom room(kWidth, kHeight);
  const std::vector<double> xs = {190, 196, 202, 208, 214};
  for (const double x : xs) room.AddPoint(x, 150);
  std::vector<LabelRoom::Place> places;
  for (const double x : xs) places.push_back(room.Find(x, 150, kCharacters));
  bool any_far = false;
  for (size_t i = 0; i < places.size(); ++i) {
    for (const double x : xs) EXPECT_FALSE(Covers(places[i], x, 150)) << i;
    for (size_t j = 0; j < i; ++j) {
      const bool apart = places[i].x + kTextWidth <= places[j].x ||
                         places[j].x + kTextWidth <= places[i].x ||
                         places[i].y + 10 <= places[j].y || places[j].y + 10 <= places[i].y;
      EXPECT_TRUE(apart) << i << " " << j;
    }
    any_far |= places[i].is_far;
  }
  EXPECT_TRUE(any_far) << "some need a line to their point";
}

TEST(LabelRoomTest, ANameNearerToAnotherPointHasALineToItsOwn) {
  LabelRoom room(kWidth, kHeight);
  room.AddPoint(100, 100);
  room.AddPoint(104, 112);
  LabelRoom shared = room;
  const LabelRoom::Place place = room.Find(100, 100, kCharacters);
  EXPECT_EQ(place.y, 100);
  EXPECT_TRUE(place.is_far);
  EXPECT_FALSE(shared.Find(100, 100, kCharacters, /*radius=*/20).is_far);
}

TEST(LabelRoomTest, NoLineToAPointCrossesAnotherName) {
  LabelRoom room(kWidth, kHeight);
  const std::vector<std::pair<double, double>> points = {
      {180, 150}, {187, 163}, {221, 150}, {232, 150}, {223, 150}};
  for (const auto& [x, y] : points) {
    room.AddPoint(x, y);
    room.AddLine(x - 30, y, x + 20, y);
    room.AddLine(x, y - 15, x, y + 15);
  }
  std::vector<LabelRoom::Place> places;
  for (const auto& [x, y] : points) places.push_back(room.Find(x, y, kCharacters));
  for (size_t i = 0; i < places.size(); ++i) {
    if (!places[i].is_far) continue;
    for (size_t j = 0; j < places.size(); ++j) {
      for (double part = 0; i != j && part <= 1; part += 0.05) {
        EXPECT_FALSE(Covers(places[j], std::lerp(places[i].end_x, points[i].first, part),
                            std::lerp(places[i].end_y, points[i].second, part)))
            << i << " through " << j;
      }
    }
  }
}

TEST(LabelRoomTest, ALineIsAvoidedWhileThereIsOtherRoom) {
  LabelRoom room(kWidth, kHeight);
  room.AddPoint(100, 100);
  room.AddLine(0, 100, kWidth, 100);
  EXPECT_NE(room.Find(100, 100, kCharacters).y, 100);
}

}  // namespace
}  // namespace mlp::analysis
