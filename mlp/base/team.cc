#include "mlp/base/team.h"

#include <linux/futex.h>
#include <omp.h>
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <climits>
#include <cmath>
#include <exception>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "mlp/base/cgroup.h"
#include "mlp/base/check.h"
#include "mlp/base/denormals.h"
#include "mlp/base/timer.h"

namespace mlp {
namespace {

// A few microseconds of spinning cover the usual wait; beyond that another thread may hold the CPU
// that we wait for.
int SpinsFor(int threads) { return threads <= AvailableThreads() ? 1000 : 0; }

// How many threads of all teams sleep: where none does, none has to be woken.
alignas(128) std::atomic<int> sleepers{0};

template <class T>
long Futex(const std::atomic<T>& word, int operation, uint32_t value) {
  static_assert(std::endian::native == std::endian::little && sizeof(word) == sizeof(T));
  // Its lower half, where it has 64 bits.
  return syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

// How often another thread ran on this thread's CPU though it could have run itself: in a yield,
// too.
int64_t LetIn() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

// Whether a yield took long, as it does where it lets another program's thread in; not where
// nothing but the whole machine stood still, as a virtual one may. `let_in` is what LetIn() said
// before, and is brought up to date where time was lost.
bool YieldsSlowly(int64_t* let_in) {
  constexpr double kSlow_s = 50e-6;
  const Timer timer;
  std::this_thread::yield();
  if (timer.Seconds() <= kSlow_s) return false;
  const int64_t before = std::exchange(*let_in, LetIn());
  return *let_in > before;
}

// The waits that do without yields after one that was slow: few at first, more where the next one
// is, too.
constexpr int kFewestWaits = 16, kMostWaits = 512;
struct Patience {
  int waits_without_yield = 0;
  int next = kFewestWaits;
};
thread_local Patience patience;

// Returns when `holds` is true of the word: spins for a while, then yields, then sleeps. Who sleeps
// on a free CPU is late to wake; beside another program's threads a yield costs a slice of their
// time, while who has slept is let in at once. So this goes by what a yield has cost.
template <class T, class Condition>
void Await(int spins, const std::atomic<T>& word, Condition holds) {
  for (int i = 0; i <= spins; ++i) {
    if (holds(word.load(std::memory_order_acquire))) return;
    __builtin_ia32_pause();
  }
  constexpr int kYields = 1000;
  if (patience.waits_without_yield > 0) {
    --patience.waits_without_yield;
  } else if (spins > 0) {
    bool slow = false;
    int64_t let_in = LetIn();
    for (int i = 0; i < kYields && !slow; ++i) {
      slow = YieldsSlowly(&let_in);
      if (slow) {
        patience.waits_without_yield = patience.next;
        patience.next = std::min(2 * patience.next, kMostWaits);
      }
      if (!holds(word.load(std::memory_order_acquire))) continue;
      if (!slow) patience.next = kFewestWaits;
      return;
    }
  }
  // Either Set sees the sleeper, or the sleeper sees what was set.
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  while (true) {
    const T seen = word.load(std::memory_order_seq_cst);
    if (holds(seen)) break;
    Futex(word, FUTEX_WAIT, static_cast<uint32_t>(seen));
  }
  sleepers.fetch_sub(1, std::memory_order_relaxed);
}

// Sets the word that others await: what this thread wrote before is visible to them.
template <class T>
void Set(std::atomic<T>& word, T value) {
  word.store(value, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) > 0) Futex(word, FUTEX_WAKE, INT_MAX);
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
    // An exception would leave the others waiting.
    [&]() noexcept { RunWorker(0, threads, &barrier, body); }();
    done_.Raise(0);
    done_.Await(0);
  }
  void Dismiss() { Announce(nullptr); }

  // The other ranks: works until dismissed.
  void Serve(int rank) {
    for (unsigned call = 0;; ++call) {
      Await(spins_, calls_, [&](unsigned calls) { return calls != call; });
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
    Set(calls_, calls_.load(std::memory_order_relaxed) + 1);
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
    Set(generation_, generation + 1);
    return;
  }
  Await(spins_, generation_, [&](unsigned now) { return now != generation; });
}

Signals::Signals(int workers) : spins_(SpinsFor(workers)), counts_(static_cast<size_t>(workers)) {}

void Signals::Raise(int rank) {
  // Nobody else writes it.
  std::atomic<uint64_t>& count = counts_[static_cast<size_t>(rank)].value;
  Set(count, count.load(std::memory_order_relaxed) + 1);
}

void Signals::Await(int rank) const {
  const uint64_t mine = counts_[static_cast<size_t>(rank)].value.load(std::memory_order_relaxed);
  for (const Count& count : counts_) {
    mlp::Await(spins_, count.value, [&](uint64_t raised) { return raised >= mine; });
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
  std::exception_ptr thrown;
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
      try {
        body();
      } catch (...) {  // must not leave the region
        thrown = std::current_exception();
      }
      standing_team = nullptr;
      team.Dismiss();
    } else {
      team.Serve(omp_get_thread_num());
    }
    Release(&team);
  }
  AfterRelease(&team);
  if (thrown != nullptr) std::rethrow_exception(thrown);
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
