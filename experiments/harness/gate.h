// A shared machine can run at a third of its speed for a minute. The gate holds a run back until
// the machine is as fast as it has been, for a bounded time.
#pragma once

#include <functional>

namespace mlp::experiments {

class Gate {
 public:
  // `probe` returns a speed, in any unit; more is faster.
  Gate(std::function<double()> probe, std::function<double()> clock_s, double max_wait_s)
      : probe_(std::move(probe)), clock_s_(std::move(clock_s)), max_wait_s_(max_wait_s) {}

  struct Seen {
    double wait_s = 0;
    double speed_pct = 100;  // of the best speed seen by this gate, at the end of the wait
  };

  // Returns when a probe comes within 10 % of the best so far, or after max_wait_s.
  Seen Wait();

 private:
  const std::function<double()> probe_;
  const std::function<double()> clock_s_;
  const double max_wait_s_;
  double best_ = 0;
};

// Multiply-adds per second of `threads` threads in step, measured over about a millisecond.
double ProbeSpeed(int threads);

}  // namespace mlp::experiments
