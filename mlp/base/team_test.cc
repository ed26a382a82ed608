#include "mlp/base/team.h"

#include <gtest/gtest.h>
#include <time.h>
#include <xmmintrin.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#include <vector>

#include "mlp/base/denormals.h"

namespace mlp {
namespace {

TEST(WorkerTest, SharesCoverEverythingOnceAtTheGrain) {
  for (const int size : {1, 2, 3, 8}) {
    for (const size_t n : {0, 1, 7, 16, 100, 784}) {
      for (const size_t grain : {1, 8, 16}) {
        size_t end = 0;
        for (int rank = 0; rank < size; ++rank) {
          const Range share = Worker(rank, size, nullptr).Share(n, grain);
          EXPECT_EQ(share.begin, end);
          EXPECT_LE(share.begin, share.end);
          EXPECT_TRUE(share.end == n || share.end % grain == 0);
          end = share.end;
        }
        EXPECT_EQ(end, n);
      }
    }
  }
}

// Each round reads what all workers wrote in the round before.
TEST(TeamTest, BarrierOrdersWritesOfAllWorkers) {
  for (const int threads : {1, 2, 3, 8}) {
    constexpr int kRounds = 200;
    std::vector<long> cells(threads), sums(threads);
    RunTeam(threads, [&](const Worker& worker) {
      for (int round = 0; round < kRounds; ++round) {
        cells[worker.rank()] = round + worker.rank();
        worker.Sync();
        for (int i = 0; i < worker.size(); ++i) sums[worker.rank()] += cells[i];
        worker.Sync();
      }
    });
    long expected = 0;
    for (int round = 0; round < kRounds; ++round) {
      for (int i = 0; i < threads; ++i) expected += round + i;
    }
    for (const long sum : sums) EXPECT_EQ(sum, expected);
  }
}

double ThreadCpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// To spin or to yield all the time would take the CPU from those that we wait for.
TEST(TeamTest, LongWaitsAreSlept) {
  Signals signals(2);
  double barrier_s = 0, signals_s = 0;
  RunTeam(2, [&](const Worker& worker) {
    const auto wait = [&](auto body, double& cpu_s) {
      if (worker.rank() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      const double begin = ThreadCpuSeconds();
      body();
      if (worker.rank() == 1) cpu_s = ThreadCpuSeconds() - begin;
    };
    wait([&] { worker.Sync(); }, barrier_s);
    wait(
        [&] {
          signals.Raise(worker.rank());
          signals.Await(worker.rank());
        },
        signals_s);
  });
  EXPECT_LT(barrier_s, 0.02);
  EXPECT_LT(signals_s, 0.02);
}

// A kept team serves calls of its own size and below, wakes after a pause, and is left in order.
TEST(TeamTest, KeptTeamServesManyCalls) {
  for (const int threads : {1, 2, 3, 8}) {
    std::vector<long> counts(threads + 1);
    KeepTeam(threads, [&] {
      for (int call = 0; call < 100; ++call) {
        const int size = 1 + call % (threads + 1);  // once in a while one more than are kept
        RunTeam(size, [&](const Worker& worker) {
          EXPECT_EQ(worker.size(), size);
          worker.Sync();
          ++counts[worker.rank()];
        });
        if (call % 40 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
      // To keep what is kept is no new team.
      KeepTeam(threads, [&] { RunTeam(threads, [&](const Worker& w) { ++counts[w.rank()]; }); });
    });
    for (int rank = 0; rank <= threads; ++rank) {
      long expected = rank < threads ? 1 : 0;
      for (int call = 0; call < 100; ++call) expected += rank < 1 + call % (threads + 1);
      EXPECT_EQ(counts[rank], expected) << threads << " threads, rank " << rank;
    }
  }
}

std::atomic<int> entered = 0;
std::atomic<int> left = 0;
thread_local bool inside = false;
constexpr ThreadState kCounted = {[] {
                                    EXPECT_FALSE(inside);
                                    inside = true;
                                    ++entered;
                                  },
                                  [] {
                                    EXPECT_TRUE(inside);
                                    inside = false;
                                    ++left;
                                  }};

void HoldTwice(int threads) {
  RunTeam(threads, [](const Worker&) {
    HoldInTeam(kCounted);
    HoldInTeam(kCounted);
    EXPECT_TRUE(inside);
  });
}

// Once for each thread of a team, until the team is done.
TEST(TeamTest, ThreadsHoldAStateAsLongAsTheirTeamIsKept) {
  for (const int threads : {1, 2, 3}) {
    entered = left = 0;
    HoldTwice(threads);
    HoldTwice(threads);
    EXPECT_EQ(entered, 2 * threads);
    EXPECT_EQ(left, 2 * threads);
    entered = left = 0;
    KeepTeam(threads, [&] {
      for (int call = 0; call < 3; ++call) HoldTwice(threads);
      KeepTeam(threads, [&] { HoldTwice(threads); });
      EXPECT_EQ(entered, threads);
      EXPECT_EQ(left, 0);
      // Those beyond the kept team leave with their own.
      HoldTwice(threads + 1);
    });
    EXPECT_EQ(entered, left);
    EXPECT_FALSE(inside);
  }
}

// The team is dismissed first, and the next one works.
TEST(TeamTest, WhatAKeptBodyThrowsReachesTheCaller) {
  for (const int threads : {1, 2, 3}) {
    const auto fail = [&] {
      KeepTeam(threads, [&] {
        HoldTwice(threads);
        throw std::bad_alloc();
      });
    };
    entered = left = 0;
    EXPECT_THROW(fail(), std::bad_alloc);
    EXPECT_EQ(entered, threads);
    EXPECT_EQ(left, threads);
    std::atomic<int> ran = 0;
    KeepTeam(threads, [&] { RunTeam(threads, [&](const Worker&) { ++ran; }); });
    EXPECT_EQ(ran, threads);
  }
}

TEST(TeamTest, FlushesDenormalsInsideAndRestoresOutside) {
  volatile float tiny = 1e-39f;
  RunTeam(2, [&](const Worker&) { EXPECT_EQ(tiny * 1.0f, 0.0f); });
  EXPECT_NE(tiny * 1.0f, 0.0f);
}

TEST(ThreadsTest, RequestsAreBoundedByWhatIsAvailable) {
  EXPECT_GE(AvailableThreads(), 1);
  EXPECT_EQ(EffectiveThreads(0), AvailableThreads());
  EXPECT_EQ(EffectiveThreads(1), 1);
  EXPECT_EQ(EffectiveThreads(1 << 20), AvailableThreads());
}

}  // namespace
}  // namespace mlp
