#include "mlp/data/strokes.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "mlp/base/check.h"

namespace mlp::data {
namespace {

struct Row {
  int digit;
  int weight;
  const char* path;  // points "x,y"; a ^ after a point makes it a corner, a / lifts the pen
};

constexpr Row kRows[] = {
    // Ovals: closed, narrow, overlapping at the top, begun on the left and left open, wide.
    {0, 6, "36,1 15,10 3,44 9,84 30,100 51,86 58,48 48,12 29,0"},
    {0, 4, "30,1 16,18 7,60 14,92 26,99 40,84 48,44 43,10 28,2"},
    {0, 4, "44,10 27,0 9,15 2,50 10,86 30,100 50,84 57,46 48,14 30,5"},
    {0, 2, "16,10 4,36 5,78 25,99 47,88 57,50 48,16 24,5"},
    {0, 2, "38,2 16,8 1,40 6,80 32,98 60,82 70,44 56,12 34,4"},
    // A bar, a slightly bent bar, a bar with a serif, with serif and base.
    {1, 10, "31,0 29,100"},
    {1, 3, "34,0 28,48 30,100"},
    {1, 4, "14,24 32,0 ^ 31,100"},
    {1, 1, "14,22 33,0 ^ 32,96 / 10,98 54,96"},
    // An angle at the foot, a loop there, a wavy foot, a straight back like a Z.
    {2, 5, "5,24 26,1 51,18 40,54 3,97 ^ 30,95 60,96"},
    {2, 5, "6,20 28,0 49,18 37,58 14,93 3,86 14,75 36,90 64,95"},
    {2, 3, "2,16 28,2 50,20 34,62 6,94 ^ 22,86 42,98 64,88"},
    {2, 2, "8,8 34,2 52,12 44,30 6,96 ^ 60,97"},
    {2, 1, "4,34 10,8 36,0 56,24 38,66 2,92 ^ 28,94 62,100"},
    // Two bows that meet in a corner, in a small loop, a flat top, a bow into a hook.
    {3, 6, "5,13 28,0 50,20 22,45 ^ 55,68 34,98 2,89"},
    {3, 3, "8,10 31,0 49,19 27,46 17,51 29,49 53,72 29,100 4,90"},
    {3, 2, "6,3 50,2 ^ 24,40 ^ 52,58 44,92 4,95"},
    {3, 3, "4,8 32,2 42,24 16,42 ^ 46,52 50,84 20,100 0,86"},
    // Open with a straight or a round side, closed, closed in one stroke, open with a low bar.
    {4, 4, "10,2 4,52 ^ 56,50 / 48,0 44,50 42,100"},
    {4, 5, "8,3 3,38 18,54 50,46 / 52,2 47,50 40,100"},
    {4, 3, "40,0 0,64 ^ 62,62 / 44,30 42,64 40,100"},
    {4, 2, "46,100 46,50 47,0 ^ 2,62 ^ 64,64"},
    {4, 2, "4,10 0,44 ^ 26,52 48,42 ^ 52,4 ^ 46,54 46,100"},
    // The cap last, the cap first, an S without corners, a wide bow.
    {5, 5, "12,2 7,42 ^ 34,37 54,64 35,98 1,91 / 12,2 56,0"},
    {5, 4, "56,2 14,4 ^ 8,44 ^ 40,41 51,73 27,100 0,90"},
    {5, 3, "56,3 22,6 10,30 36,48 50,76 24,98 0,88"},
    {5, 2, "60,0 20,8 ^ 14,36 ^ 34,46 44,72 28,96 4,100"},
    // A round back, a straight back, a large loop, a back that bends over.
    {6, 6, "46,0 15,34 4,74 25,100 50,79 34,54 7,74"},
    {6, 4, "38,0 12,44 8,84 28,99 46,76 30,60 10,80"},
    {6, 3, "40,3 10,40 7,84 35,100 60,74 42,50 10,66"},
    {6, 2, "52,8 30,2 8,38 4,78 28,100 48,82 36,62 8,80"},
    // A corner, a bar through the stem, a hook at the left, a round shoulder, a bent stem.
    {7, 6, "2,8 54,4 ^ 34,46 22,100"},
    {7, 3, "3,6 54,4 ^ 36,48 20,100 / 10,52 54,47"},
    {7, 2, "4,22 8,5 ^ 54,5 ^ 34,50 24,100"},
    {7, 4, "1,14 24,3 52,8 45,38 26,100"},
    {7, 2, "0,4 28,8 56,2 ^ 42,34 38,66 40,100"},
    // An S and back, two loops from the waist, an open top, begun at the waist and crossed.
    {8, 6, "50,13 27,0 8,19 28,44 53,73 30,100 5,79 27,50 49,22 48,8"},
    {8, 4, "30,46 10,24 31,0 50,22 30,46 5,75 30,100 54,75 30,46"},
    {8, 3, "54,6 22,5 12,27 44,62 38,96 10,90 18,60 52,20"},
    {8, 2, "44,2 14,16 26,44 46,70 28,98 10,80 28,52 52,14 44,2"},
    // A loop and a straight stem, a round tail, a stem drawn apart, a bent stem.
    {9, 5, "49,20 28,0 4,27 20,50 45,34 52,8 ^ 47,56 42,100"},
    {9, 4, "50,21 26,0 4,26 23,50 49,26 51,58 36,95 8,93"},
    {9, 3, "46,8 14,10 6,38 26,48 46,22 ^ 42,60 36,100"},
    {9, 3, "44,12 22,2 6,28 24,46 46,20 44,54 22,100"},
    {9, 1, "46,30 30,46 6,34 14,6 40,4 48,34 40,70 34,100"},
};

Glyph Parse(const Row& row) {
  Glyph glyph{.weight = row.weight, .points = {}};
  for (const absl::string_view token : absl::StrSplit(row.path, ' ')) {
    if (token == "^") {
      glyph.points.back().corner = true;
    } else if (token == "/") {
      glyph.points.back().stroke_end = true;
    } else {
      WayPoint point;
      const std::pair<absl::string_view, absl::string_view> xy = absl::StrSplit(token, ',');
      MLP_CHECK(absl::SimpleAtof(xy.first, &point.x));
      MLP_CHECK(absl::SimpleAtof(xy.second, &point.y));
      glyph.points.push_back(point);
    }
  }
  glyph.points.back().stroke_end = true;
  MLP_CHECK_LE(glyph.points.size(), static_cast<size_t>(kMaxWayPoints));
  return glyph;
}

Alphabet MakeAlphabet() {
  Alphabet alphabet;
  for (const Row& row : kRows) alphabet[row.digit].push_back(Parse(row));
  return alphabet;
}

}  // namespace

const Alphabet& DigitGlyphs() {
  static const Alphabet& alphabet = *new Alphabet(MakeAlphabet());
  return alphabet;
}

}  // namespace mlp::data
