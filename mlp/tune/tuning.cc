#include "mlp/tune/tuning.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_format.h"
#include "mlp/base/check.h"

namespace mlp::tune {
namespace {

constexpr size_t kMinRounds = 3;
constexpr size_t kMaxRounds = 25;
constexpr int kQuestions = 3;
// What is less than so much faster than the default may be chance.
constexpr double kClearly = 0.95;
// The shortest step counts if a quarter of them come so near to it: on a busy machine the others
// were disturbed, on a very busy one all of them may have been.
constexpr double kSteady = 1.15;
// From sparser than MNIST, of whose pixels a fifth are not 0, upwards.
constexpr double kDensities[] = {0.1, 0.2, 0.35, 0.5, 0.7};

struct Answer {
  std::vector<double> step_s;  // of each candidate
  bool steady = true;
};

class Tuner {
 public:
  Tuner(const Measure& measure, const std::function<double()>& clock_s, double budget_s)
      : measure_(measure), clock_s_(clock_s), budget_s_(budget_s / kQuestions) {}

  // The shortest step of each, measured in turn.
  Answer Ask(const std::vector<Candidate>& candidates, Tuning* tuning) const {
    std::vector<std::vector<double>> seen(candidates.size()), disturbed(candidates.size());
    const double end = clock_s_() + budget_s_;
    for (size_t round = 0; round < kMaxRounds; ++round) {
      if (round >= kMinRounds && clock_s_() > end) break;
      for (size_t i = 0; i < candidates.size(); ++i) {
        const Sample sample = measure_(candidates[i]);
        (sample.disturbed ? disturbed : seen)[i].push_back(sample.step_s);
      }
    }
    Answer answer;
    for (size_t i = 0; i < candidates.size(); ++i) {
      // Two threads on a busy machine are disturbed more than one: what is left of them says
      // little.
      answer.steady &= seen[i].size() >= kMinRounds;
      if (seen[i].empty()) seen[i] = disturbed[i];
      std::ranges::sort(seen[i]);
      answer.step_s.push_back(seen[i].front());
      const size_t quarter = std::min(std::max<size_t>(1, seen[i].size() / 4), seen[i].size() - 1);
      answer.steady &= seen[i][quarter] <= kSteady * seen[i].front();
      tuning->timings.push_back({candidates[i], seen[i].front()});
    }
    tuning->steady &= answer.steady;
    return answer;
  }

 private:
  const Measure& measure_;
  const std::function<double()>& clock_s_;
  const double budget_s_;
};

// The index of the default, or of the fastest if that is clearly faster.
size_t Choose(const std::vector<double>& step_s, size_t by_default) {
  const auto fastest = static_cast<size_t>(std::ranges::min_element(step_s) - step_s.begin());
  return step_s[fastest] < kClearly * step_s[by_default] ? fastest : by_default;
}

// 1, half of all, and all.
std::vector<int> ThreadCounts(int most) {
  const std::set<int> counts = {1, std::max(1, most / 2), most};
  return {counts.begin(), counts.end()};
}

// Where skipping, which takes the longer the denser pixels are, begins to take longer than not.
double Crossing(const std::vector<double>& skipping_s, double dense_s) {
  size_t i = skipping_s.size();
  while (i > 0 && skipping_s[i - 1] >= dense_s) --i;
  if (i == 0) return 0;
  if (i == skipping_s.size()) return kDensities[i - 1];
  const double part = (dense_s - skipping_s[i - 1]) / (skipping_s[i] - skipping_s[i - 1]);
  return kDensities[i - 1] + part * (kDensities[i] - kDensities[i - 1]);
}

}  // namespace

std::string Text(const Tuning& tuning) {
  return absl::StrFormat(
      "%s%s, %d thread%s, zero pixels skipped below a density of %.2f",
      tuning.steady ? ""
                    : "too busy to tell (mlp tune, or a training in an hour, tries again), so ",
      Name(tuning.isa), tuning.threads, tuning.threads == 1 ? "" : "s", tuning.skip_below);
}

Tuning Tune(const Space& space, const Measure& measure, const std::function<double()>& clock_s,
            double budget_s) {
  MLP_CHECK(!space.isas.empty());
  const Tuner tuner(measure, clock_s, budget_s);
  Tuning tuning = {.isa = space.isas.back(), .threads = space.threads};
  const Tuning untuned = tuning;

  std::vector<Candidate> candidates;
  // Older sets than the last but one have half the vectors or no fused multiply-add.
  for (size_t i = space.isas.size() - std::min<size_t>(2, space.isas.size()); i < space.isas.size();
       ++i) {
    candidates.push_back({.isa = space.isas[i], .threads = space.threads});
  }
  if (candidates.size() > 1) {
    const Answer answer = tuner.Ask(candidates, &tuning);
    tuning.isa = candidates[Choose(answer.step_s, candidates.size() - 1)].isa;
  }

  candidates.clear();
  for (const int threads : ThreadCounts(space.threads)) {
    candidates.push_back({.isa = tuning.isa, .threads = threads});
  }
  if (candidates.size() > 1) {
    const Answer answer = tuner.Ask(candidates, &tuning);
    tuning.threads = candidates[Choose(answer.step_s, candidates.size() - 1)].threads;
  }

  candidates = {{.isa = tuning.isa, .threads = tuning.threads}};
  for (const double density : kDensities) {
    candidates.push_back(
        {.isa = tuning.isa, .threads = tuning.threads, .skip_zeros = true, .density = density});
  }
  const Answer answer = tuner.Ask(candidates, &tuning);
  tuning.skip_below =
      Crossing({answer.step_s.begin() + 1, answer.step_s.end()}, answer.step_s.front());

  if (tuning.steady) return tuning;
  // Chance would decide, and be kept.
  tuning.isa = untuned.isa;
  tuning.threads = untuned.threads;
  tuning.skip_below = untuned.skip_below;
  return tuning;
}

}  // namespace mlp::tune
