// Which of two ways to do the same work is the faster one here and now, found while they do it.
#pragma once

#include <algorithm>
#include <cstddef>

namespace mlp {

// For ways whose results are the same bits: what it says depends on the time of day. The first way
// is taken unless the second one is clearly faster.
//
// Of so many pieces of work one goes the other way, and is compared with the faster of the two
// beside it, as a machine's pace changes and disturbances only ever lengthen a piece. What such
// comparisons say is averaged, later ones counting more.
class Trial {
 public:
  // Whether the next piece of work is to go the second way.
  bool second() const { return (turn_ == 1) != prefers_second_; }

  // That what was done since took so long for so much work, in any unit.
  void Note(double seconds, double work) {
    seconds_ += seconds;
    work_ += work;
    if (seconds_ < kPiece_s) return;
    const double pace = seconds_ / work_;
    seconds_ = work_ = 0;
    if (turn_ == 2) {
      const double slower = tried_ / std::min(before_, pace) - 1;
      const double cost = std::clamp(prefers_second_ ? -slower : slower, -kMost, kMost);
      second_costs_ += kWeight * (cost - second_costs_);
      prefers_second_ = second_costs_ < -kClear;
    }
    (turn_ == 1 ? tried_ : before_) = pace;
    turn_ = (turn_ + 1) % kTurns;
  }

 private:
  static constexpr double kPiece_s = 0.005;  // long against most of what disturbs it
  static constexpr size_t kTurns = 16;
  static constexpr double kWeight = 0.4;  // of the newest comparison
  static constexpr double kMost = 0.1;    // that one comparison may say
  static constexpr double kClear = 0.01;

  bool prefers_second_ = false;
  double second_costs_ = 0;  // more, as a part of the first way's time
  size_t turn_ = 0;          // turn 1 is the other way's
  double before_ = 0;        // pace of the last piece but the one tried
  double tried_ = 0;
  double seconds_ = 0;
  double work_ = 0;
};

}  // namespace mlp
