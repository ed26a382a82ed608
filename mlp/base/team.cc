#include "mlp/base/team.h"

#include <omp.h>
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#include "mlp/base/cgroup.h"
#include "mlp/base/check.h"
#include "mlp/base/denormals.h"

namespace mlp {
namespace {

// A few microseconds of spinning cover the usual wait; beyond that another thread may hold the CPU
// that we wait for.
int SpinsFor(int threads) { return threads <= AvailableThreads() ? 1000 : 0; }

template <class Condition>
void SpinUntil(int spins, Condition condition) {
  for (int i = 0; !condition(); ++i) {
    if (i < spins) {
      __builtin_ia32_pause();
    } else {
      std::this_thread::yield();
    }
  }
}

// libgomp's fork and join are invisible to ThreadSanitizer: these two tell it that what came before
// a Release has happened before what follows an AfterRelease with the same address.
#if defined(__SANITIZE_THREAD__)
void Release(void* address) { __tsan_release(address); }
void AfterRelease(void* address) { __tsan_acquire(address); }
// For functions with a region: ThreadSanitizer would take libgomp's hand-over of the captured
// variables for a race.
#define MLP_HAS_REGION __attribute__((no_sanitize("thread")))
#else
void Release(void*) {}
void AfterRelease(void*) {}
#define MLP_HAS_REGION
#endif

// What this thread holds, and whether it does so beyond the end of a RunTeam.
thread_local const ThreadState* held_state = nullptr;
thread_local bool is_kept = false;

void LeaveState() {
  if (is_kept || held_state == nullptr) return;
  held_state->leave();
  held_state = nullptr;
}

// While an object of this class lives on a thread, its state is kept.
class ScopedKeptState {
 public:
  ScopedKeptState() : was_kept_(is_kept) { is_kept = true; }
  ~ScopedKeptState() {
    is_kept = was_kept_;
    LeaveState();
  }
  ScopedKeptState(const ScopedKeptState&) = delete;
  ScopedKeptState& operator=(const ScopedKeptState&) = delete;

 private:
  const bool was_kept_;
};

// One worker's run of the body. Out of line, so that ThreadSanitizer follows it (see RunTeam).
[[gnu::noinline]] void RunWorker(int rank, int size, Barrier* barrier,
                                 absl::FunctionRef<void(const Worker&)> body) {
  const ScopedFlushDenormals flush;
  const Worker worker(rank, size, barrier);
  AfterRelease(barrier);
  body(worker);
  LeaveState();
  Release(barrier);
}

// Threads that wait for work, one of which (rank 0) hands it out.
class StandingTeam {
 public:
  explicit StandingTeam(int size) : size_(size), spins_(SpinsFor(size)), done_(size) {}

  int size() const { return size_; }

  // Rank 0: runs body on the first `threads` workers.
  void Run(int threads, Barrier& barrier, absl::FunctionRef<void(const Worker&)> body) {
    const Job job = {threads, &barrier, &body};
    Announce(&job);
    RunWorker(0, threads, &barrier, body);
    done_.Raise(0);
    done_.Await(0);
  }
  void Dismiss() { Announce(nullptr); }

  // The other ranks: works until dismissed.
  void Serve(int rank) {
    for (unsigned call = 0;; ++call) {
      AwaitCallAfter(call);
      if (job_ == nullptr) return;
      if (rank < job_->threads) RunWorker(rank, job_->threads, job_->barrier, *job_->body);
      done_.Raise(rank);
    }
  }

 private:
  struct Job {
    int threads;
    Barrier* barrier;
    const absl::FunctionRef<void(const Worker&)>* body;
  };

  void Announce(const Job* job) {
    job_ = job;
    calls_.store(calls_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    calls_.notify_all();
  }
  void AwaitCallAfter(unsigned call) {
    constexpr int kYields = 50;
    for (int i = 0; i < spins_ + kYields; ++i) {
      if (calls_.load(std::memory_order_acquire) != call) return;
      if (i < spins_) {
        __builtin_ia32_pause();
      } else {
        std::this_thread::yield();
      }
    }
    calls_.wait(call, std::memory_order_acquire);
  }

  const int size_;
  const int spins_;
  alignas(128) std::atomic<unsigned> calls_{0};
  const Job* job_ = nullptr;  // of the last call; null: go home
  Signals done_;
};

thread_local StandingTeam* standing_team = nullptr;

// The limit that one control group (version 2) sets, in CPUs, rounded up; a lot without one.
int CpusOfGroup(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  std::string quota;
  double period;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 1 << 20;
  return std::max(1, static_cast<int>(std::ceil(std::atof(quota.c_str()) / period)));
}

// What this process's group and those above it allow.
int CgroupCpus() {
  int cpus = 1 << 20;
  for (const std::string& directory : CgroupDirectories()) {
    cpus = std::min(cpus, CpusOfGroup(directory));
  }
  return cpus;
}

}  // namespace

Barrier::Barrier(int threads) : threads_(threads), spins_(SpinsFor(threads)) {}

void Barrier::Wait() {
  const unsigned generation = generation_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    generation_.store(generation + 1, std::memory_order_release);
    return;
  }
  SpinUntil(spins_, [&] { return generation_.load(std::memory_order_acquire) != generation; });
}

Signals::Signals(int workers) : spins_(SpinsFor(workers)), counts_(static_cast<size_t>(workers)) {}

void Signals::Raise(int rank) {
  // Nobody else writes it.
  std::atomic<uint64_t>& count = counts_[static_cast<size_t>(rank)].value;
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void Signals::Await(int rank) const {
  const uint64_t mine = counts_[static_cast<size_t>(rank)].value.load(std::memory_order_relaxed);
  for (const Count& count : counts_) {
    SpinUntil(spins_, [&] { return count.value.load(std::memory_order_acquire) >= mine; });
  }
}

Range Share(size_t n, size_t grain, size_t part, size_t parts) {
  const size_t grains = (n + grain - 1) / grain;
  return {std::min(n, grains * part / parts * grain),
          std::min(n, grains * (part + 1) / parts * grain)};
}

MLP_HAS_REGION void RunTeam(int threads, absl::FunctionRef<void(const Worker&)> body) {
  MLP_CHECK_GE(threads, 1);
  if (threads == 1) return RunWorker(0, 1, nullptr, body);
  Barrier barrier(threads);
  if (standing_team != nullptr && threads <= standing_team->size()) {
    return standing_team->Run(threads, barrier, body);
  }
  // A smaller team than asked for would wait for those who are missing.
  omp_set_dynamic(0);
  Release(&barrier);
#pragma omp parallel num_threads(threads)
  {
    MLP_CHECK_EQ(omp_get_num_threads(), threads);
    RunWorker(omp_get_thread_num(), threads, &barrier, body);
  }
  AfterRelease(&barrier);
}

MLP_HAS_REGION void KeepTeam(int threads, absl::FunctionRef<void()> body) {
  MLP_CHECK_GE(threads, 1);
  if (threads == 1 || standing_team != nullptr) {
    const ScopedKeptState kept;
    return body();
  }
  StandingTeam team(threads);
  omp_set_dynamic(0);
  // A RunTeam with more threads than are kept opens a region of its own.
  omp_set_max_active_levels(2);
  Release(&team);
#pragma omp parallel num_threads(threads)
  {
    MLP_CHECK_EQ(omp_get_num_threads(), threads);
    AfterRelease(&team);
    const ScopedKeptState kept;
    if (omp_get_thread_num() == 0) {
      standing_team = &team;
      body();
      standing_team = nullptr;
      team.Dismiss();
    } else {
      team.Serve(omp_get_thread_num());
    }
    Release(&team);
  }
  AfterRelease(&team);
}

void HoldInTeam(const ThreadState& state) {
  if (held_state == &state) return;
  MLP_CHECK(held_state == nullptr);
  state.enter();
  held_state = &state;
}

int AvailableThreads() {
  static const int available = [] {
    // By affinity: libgomp asks before it binds this thread itself (OMP_PROC_BIND).
    return std::max(1, std::min({omp_get_num_procs(), CgroupCpus(), omp_get_thread_limit()}));
  }();
  return available;
}

int EffectiveThreads(int threads) {
  MLP_CHECK_GE(threads, 0);
  return threads == 0 ? AvailableThreads() : std::min(threads, AvailableThreads());
}

}  // namespace mlp
