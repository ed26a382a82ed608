// A shared machine can run at a third of its speed for a minute. The gate holds a run back until
// the machine is as fast as it has been, for a bounded time: before one run, and of all time.
#pragma once

#include <functional>

namespace mlp::experiments {

class Gate {
 public:
  // `probe` returns a speed, in any unit; more is faster. max_part bounds the waits in all, in
  // parts of the time since now: on a machine that never is free there have to be measurements,
  // too.
  Gate(std::function<double()> probe, std::function<double()> clock_s, double max_wait_s,
       double max_part = 1)
      : probe_(std::move(probe)),
        clock_s_(std::move(clock_s)),
        max_wait_s_(max_wait_s),
        max_part_(max_part),
        begin_s_(clock_s_()) {}

  struct Seen {
    double wait_s = 0;
    double speed_pct = 100;  // of the best speed seen by this gate, at the end of the wait
  };

  // Returns when a probe comes within 10 % of the best so far, after max_wait_s, or when all waits
  // are more than their part.
  Seen Wait();

 private:
  const std::function<double()> probe_;
  const std::function<double()> clock_s_;
  const double max_wait_s_;
  const double max_part_;
  const double begin_s_;
  double waited_s_ = 0;  // in all
  double best_ = 0;
};

// Multiply-adds per second of `threads` threads in step, measured over about a millisecond.
double ProbeSpeed(int threads);

}  // namespace mlp::experiments
