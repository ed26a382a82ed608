// Where the time of training steps goes: what each thread does, from when to when.
//
// All memory is there before the first step. Sums cover every step; of single spans the newest are
// kept. Without a profile an op costs the comparison of a pointer with null.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace mlp {

enum class ProfileOp : uint8_t {
#define MLP_PROFILE_OP(enumerator, phase, name, bound) enumerator,
#include "mlp/base/profile_ops.inc"
#undef MLP_PROFILE_OP
};

inline constexpr ProfileOp kProfileOps[] = {
#define MLP_PROFILE_OP(enumerator, phase, name, bound) ProfileOp::enumerator,
#include "mlp/base/profile_ops.inc"
#undef MLP_PROFILE_OP
};

enum class ProfileBound { kArithmetic, kUpdate, kMemory, kNone };

absl::string_view Name(ProfileOp op);
absl::string_view PhaseOf(ProfileOp op);
ProfileBound BoundOf(ProfileOp op);

// What an op had to do.
struct ProfileWork {
  double flop = 0;
  double bytes = 0;  // that have to move
};

// One op on one thread.
struct ProfileSpan {
  int64_t begin_ns;
  int64_t end_ns;
  ProfileWork work;
  ProfileOp op;
  uint16_t layer;  // from 0; kNoLayer
};
inline constexpr uint16_t kNoLayer = 0xffff;

struct ProfileTotal {
  uint64_t calls = 0;
  int64_t ns = 0;
  ProfileWork work;
};

// What one thread notes. Only that thread calls Add.
class alignas(128) ProfileLane {
 public:
  ProfileLane(size_t layers, size_t spans);

  void Add(const ProfileSpan& span);

  const ProfileTotal& total(ProfileOp op, uint16_t layer) const { return totals_[At(op, layer)]; }
  bool empty() const { return count_ == 0; }
  // The newest ones, oldest first.
  std::vector<ProfileSpan> Spans() const;

 private:
  size_t At(ProfileOp op, uint16_t layer) const {
    // The last place of an op's row is for no layer, or one that the model does not have.
    return static_cast<size_t>(op) * row_ + (layer < row_ - 1 ? layer : row_ - 1);
  }

  const size_t row_;                  // layers + 1
  std::vector<ProfileTotal> totals_;  // [ops, row]
  std::vector<ProfileSpan> ring_;
  uint64_t count_ = 0;  // spans so far
};

class Profile {
 public:
  static constexpr size_t kSpans = 1 << 15;

  // For teams of up to `threads` workers and models of up to `layers` layers; keeps `spans` spans
  // of each thread.
  Profile(int threads, size_t layers, size_t spans = kSpans);

  ProfileLane* lane(int rank) { return &lanes_[static_cast<size_t>(rank)]; }
  const std::vector<ProfileLane>& lanes() const { return lanes_; }
  int64_t start_ns() const { return start_ns_; }
  // How many threads noted anything: a team may be smaller than there are lanes.
  int threads() const;

  // An op of one layer over all steps, all threads together.
  struct Summary {
    ProfileOp op;
    uint16_t layer;
    uint64_t calls;
    double seconds;  // mean over threads()
    ProfileWork work;
  };
  // Those that ran, in the order of the list, then of the layers.
  std::vector<Summary> Summarize() const;

  static int64_t NowNs() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

 private:
  const size_t layers_;
  const int64_t start_ns_;
  std::vector<ProfileLane> lanes_;
};

// Notes its own lifetime as a span. Scopes of one thread follow each other, they are not nested.
class ProfileScope {
 public:
  ProfileScope(ProfileLane* lane, ProfileOp op, size_t layer = kNoLayer,
               const ProfileWork& work = {})
      : lane_(lane) {
    if (lane_ == nullptr) return;
    span_ = {Profile::NowNs(), 0, work, op, static_cast<uint16_t>(layer)};
  }
  ~ProfileScope() {
    if (lane_ == nullptr) return;
    span_.end_ns = Profile::NowNs();
    lane_->Add(span_);
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  ProfileLane* const lane_;
  ProfileSpan span_;
};

}  // namespace mlp
