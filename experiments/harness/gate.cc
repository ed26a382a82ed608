#include "experiments/harness/gate.h"

#include <algorithm>

#include "mlp/base/team.h"
#include "mlp/base/timer.h"

namespace mlp::experiments {
namespace {

constexpr double kFreeEnough = 0.9;  // of the best speed
constexpr int kChains = 8;           // independent sums: more than latency times throughput
constexpr int kLinks = 200000;

}  // namespace

Gate::Seen Gate::Wait() {
  const double begin = clock_s_();
  while (true) {
    const double speed = probe_();
    best_ = std::max(best_, speed);
    const Seen seen = {clock_s_() - begin, best_ > 0 ? 100 * speed / best_ : 100};
    if (speed >= kFreeEnough * best_ || seen.wait_s >= max_wait_s_ ||
        waited_s_ + seen.wait_s > max_part_ * (clock_s_() - begin_s_)) {
      waited_s_ += seen.wait_s;
      return seen;
    }
  }
}

double ProbeSpeed(int threads) {
  Timer timer;
  RunTeam(threads, [](const Worker& worker) {
    float sums[kChains] = {};
    volatile float start = 1.0f + static_cast<float>(worker.rank());
    const float x = start;
    for (int i = 0; i < kLinks; ++i) {
      for (float& sum : sums) sum = sum * 0.5f + x;
    }
    for (const float sum : sums) start = sum;
  });
  return static_cast<double>(kChains) * kLinks * threads / timer.Seconds();
}

}  // namespace mlp::experiments
