// Wall-clock time that never runs backwards.
#pragma once

#include <chrono>

namespace mlp {

class Timer {
 public:
  // Since construction or the last Restart.
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  void Restart() { start_ = std::chrono::steady_clock::now(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace mlp
