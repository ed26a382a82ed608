// A team of workers that run one function together (SPMD), on OpenMP threads.
//
// Inside it kernels split their own work by rank and meet at barriers; nothing forks or joins per
// operation, nor per step where somebody keeps the team (KeepTeam).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"

namespace mlp {

// Half-open: begin .. end-1.
struct Range {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
  bool empty() const { return begin >= end; }
};

// Part `part` of `parts` of 0 .. n-1: contiguous, its bounds multiples of grain (but for n), parts
// as even as that allows, in order.
Range Share(size_t n, size_t grain, size_t part, size_t parts);

// Meeting point of a fixed number of threads; reusable. Spins for a short while, if each thread can
// have a CPU of its own, then yields, where that costs little, then sleeps.
class Barrier {
 public:
  explicit Barrier(int threads);
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Returns when all threads have called it. What each wrote before is visible to all after.
  void Wait();

 private:
  const int threads_;
  const int spins_;
  alignas(128) std::atomic<int> arrived_{0};
  alignas(128) std::atomic<unsigned> generation_{0};
};

// One-way flags: each worker of a team counts the pieces of work it has finished, the others wait
// for that count while they have nothing better to do. Cheaper than a barrier, as what lies between
// Raise and Await hides the way from core to core.
class Signals {
 public:
  explicit Signals(int workers);

  // This worker has finished its next piece: what it wrote before is visible to who awaits it.
  void Raise(int rank);
  // Returns when all workers have raised as many signals as this one has.
  void Await(int rank) const;

 private:
  struct alignas(128) Count {
    std::atomic<uint64_t> value{0};
  };
  const int spins_;
  std::vector<Count> counts_;  // [workers]
};

// One thread's place in a team. The default is a team of one.
class Worker {
 public:
  Worker() = default;
  Worker(int rank, int size, Barrier* barrier) : rank_(rank), size_(size), barrier_(barrier) {}

  int rank() const { return rank_; }
  int size() const { return size_; }

  // Waits for all workers of the team.
  void Sync() const {
    if (size_ > 1) barrier_->Wait();
  }

  // This worker's part of 0 .. n-1.
  Range Share(size_t n, size_t grain = 1) const {
    return mlp::Share(n, grain, static_cast<size_t>(rank_), static_cast<size_t>(size_));
  }

 private:
  int rank_ = 0;
  int size_ = 1;
  Barrier* barrier_ = nullptr;
};

// Runs body on `threads` workers, each with denormals flushed to zero, and returns when all are
// done. With one thread it is a plain call; only that may be nested. On several threads an
// exception of body's ends the process. Sets the caller's OpenMP not to change numbers of threads.
void RunTeam(int threads, absl::FunctionRef<void(const Worker&)> body);

// Runs body on this thread and keeps `threads` - 1 others at hand: each RunTeam in body with at
// most as many threads hands its work to them, in a fraction of what a fork and a join take. They
// spin for a few microseconds, then sleep until the next one. What body throws reaches the caller.
// Lets the caller's OpenMP nest two regions.
void KeepTeam(int threads, absl::FunctionRef<void()> body);

// State of a thread that takes a while to set up, such as the CPU's tiles.
struct ThreadState {
  void (*enter)();
  void (*leave)();
};

// To be called by a worker of a team: this thread enters the state, unless it holds it already, and
// leaves it with its team: at KeepTeam's end where that keeps the thread, else at RunTeam's. A
// thread can hold one state.
void HoldInTeam(const ThreadState& state);

// How many threads this process may use: the CPU affinity and the quota of its control group
// (version 2), at least 1.
int AvailableThreads();

// What a request for `threads` comes to: 0 asks for all; never more than are available.
int EffectiveThreads(int threads);

}  // namespace mlp
