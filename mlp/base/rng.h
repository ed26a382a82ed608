// Random numbers by counting: every consumer names its stream, and any stream can be started at any
// time on any thread without knowing the others.
//
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace mlp {

// Ten rounds of Philox: a keyed bijection of the counter. Counters that differ give independent
// outputs.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// What random numbers are for. Values are part of every result: append, never renumber.
enum class Purpose : uint32_t {
  kInitialization = 1,
  kShuffle = 2,
  kSplit = 3,
  kDigits = 4,
  kBootstrap = 5,
  kSchedule = 6,
  kTest = 7,
  kCircles = 8,
  kDropout = 9,
};

// The stream of numbers that (seed, purpose, epoch, index) names: 2^34 of 32 bits each.
class Stream {
 public:
  Stream(uint64_t seed, Purpose purpose, uint32_t epoch = 0, uint32_t index = 0)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
        counter_{0, static_cast<uint32_t>(purpose), epoch, index} {}

  uint32_t NextU32() {
    if (used_ == 4) Refill();
    return block_[used_++];
  }

  // Uniform on 0 .. n-1, without bias. n > 0.
  uint32_t Below(uint32_t n);

  // Uniform on [0, 1), 24 bits.
  float Uniform() { return static_cast<float>(NextU32() >> 8) * 0x1p-24f; }
  float Uniform(float low, float high) { return low + (high - low) * Uniform(); }

  // Standard normal (Box-Muller, in double).
  float Normal();

 private:
  void Refill();

  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_ = {};
  int used_ = 4;
};

// Fisher-Yates: every order is equally likely.
void Shuffle(Stream& stream, std::span<uint32_t> items);

}  // namespace mlp
