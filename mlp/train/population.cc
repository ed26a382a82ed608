#include "mlp/train/population.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <numeric>
#include <utility>

#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/team.h"

namespace mlp::train {
namespace {

// In which order members begin: those with most work first, so that the last ones to end are short.
std::vector<size_t> LargestFirst(const std::vector<Member>& members) {
  const auto work = [&members](size_t i) {
    return static_cast<double>(members[i].options.epochs) *
           static_cast<double>(members[i].spec.parameter_count());
  };
  std::vector<size_t> order(members.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return work(a) > work(b); });
  return order;
}

// The same results on one thread: what follows from the number of threads is decided before.
TrainOptions OnOneThread(const Member& member) {
  TrainOptions options = member.options;
  StrategyOptions& strategy = options.strategy;
  // Default strategies do not ask for threads.
  if (strategy.kind && strategy.shards == 0) {
    strategy.shards = DefaultShards(*strategy.kind, member.spec, strategy.threads);
  }
  strategy.threads = 1;
  strategy.profile = nullptr;  // It has lanes for one member's threads.
  return options;
}

// Hands a member's epochs on.
class Observer final : public Callback {
 public:
  Observer(size_t member, const PopulationCallback& callback, std::mutex& mutex,
           std::atomic<bool>& stopped, std::vector<EpochSummary>& epochs)
      : member_(member), callback_(callback), mutex_(mutex), stopped_(stopped), epochs_(epochs) {}

  Next OnEpoch(const EpochSummary& epoch) override {
    epochs_.push_back(epoch);
    if (callback_ == nullptr) return Next::kContinue;
    const std::lock_guard<std::mutex> lock(mutex_);
    const Next next = callback_(member_, epoch);
    if (next == Next::kStop) stopped_ = true;
    return next;
  }

 private:
  const size_t member_;
  const PopulationCallback& callback_;
  std::mutex& mutex_;
  std::atomic<bool>& stopped_;
  std::vector<EpochSummary>& epochs_;
};

absl::Status TrainMember(const data::Dataset& dataset, const Member& member, Observer& observer,
                         MemberResult& result) {
  result.model.emplace(member.spec, member.options.seed);
  MLP_ASSIGN_OR_RETURN(Trainer trainer,
                       Trainer::Create(OnOneThread(member), dataset, *result.model));
  MLP_RETURN_IF_ERROR(trainer.Train(&observer).status());
  result.test = trainer.Test();
  return absl::OkStatus();
}

}  // namespace

std::vector<MemberResult> TrainPopulation(const data::Dataset& dataset,
                                          const std::vector<Member>& members, int threads,
                                          const PopulationCallback& callback) {
  MLP_CHECK_GE(threads, 1);
  std::vector<MemberResult> results(members.size());
  if (members.empty()) return results;
  const std::vector<size_t> order = LargestFirst(members);
  std::atomic<size_t> next = 0;
  std::atomic<bool> stopped = false;
  std::mutex mutex;
  const int team = static_cast<int>(std::min(static_cast<size_t>(threads), members.size()));
  RunTeam(team, [&](const Worker&) {
    for (size_t i; (i = next.fetch_add(1)) < order.size();) {
      const size_t member = order[i];
      MemberResult& result = results[member];
      if (stopped) {
        result.status = absl::CancelledError("stopped before its turn came");
        continue;
      }
      Observer observer(member, callback, mutex, stopped, result.epochs);
      // No exception may leave a thread of the team.
      try {
        result.status = TrainMember(dataset, members[member], observer, result);
      } catch (const std::bad_alloc&) {
        result.status = absl::ResourceExhaustedError(
            "memory: expected enough for this member, found less; train fewer at once");
      }
    }
  });
  return results;
}

}  // namespace mlp::train
