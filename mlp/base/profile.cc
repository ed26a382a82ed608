#include "mlp/base/profile.h"

#include <algorithm>
#include <iterator>

#include "mlp/base/check.h"

namespace mlp {

absl::string_view Name(ProfileOp op) {
  switch (op) {
#define MLP_PROFILE_OP(enumerator, phase, name, bound) \
  case ProfileOp::enumerator:                          \
    return name;
#include "mlp/base/profile_ops.inc"
#undef MLP_PROFILE_OP
  }
  __builtin_unreachable();
}

absl::string_view PhaseOf(ProfileOp op) {
  switch (op) {
#define MLP_PROFILE_OP(enumerator, phase, name, bound) \
  case ProfileOp::enumerator:                          \
    return phase;
#include "mlp/base/profile_ops.inc"
#undef MLP_PROFILE_OP
  }
  __builtin_unreachable();
}

ProfileBound BoundOf(ProfileOp op) {
  switch (op) {
#define MLP_PROFILE_OP(enumerator, phase, name, bound) \
  case ProfileOp::enumerator:                          \
    return ProfileBound::bound;
#include "mlp/base/profile_ops.inc"
#undef MLP_PROFILE_OP
  }
  __builtin_unreachable();
}

ProfileLane::ProfileLane(size_t layers, size_t spans)
    : row_(layers + 1), totals_(std::size(kProfileOps) * row_), ring_(spans) {
  MLP_CHECK_LT(layers, size_t{kNoLayer});
  MLP_CHECK_GT(spans, 0u);
}

void ProfileLane::Add(const ProfileSpan& span) {
  ProfileTotal& total = totals_[At(span.op, span.layer)];
  ++total.calls;
  total.ns += span.end_ns - span.begin_ns;
  total.work.flop += span.work.flop;
  total.work.bytes += span.work.bytes;
  ring_[count_++ % ring_.size()] = span;
}

std::vector<ProfileSpan> ProfileLane::Spans() const {
  const size_t kept = std::min<uint64_t>(count_, ring_.size());
  std::vector<ProfileSpan> spans;
  spans.reserve(kept);
  for (uint64_t i = count_ - kept; i < count_; ++i) spans.push_back(ring_[i % ring_.size()]);
  return spans;
}

Profile::Profile(int threads, size_t layers, size_t spans) : layers_(layers), start_ns_(NowNs()) {
  MLP_CHECK_GE(threads, 1);
  lanes_.reserve(static_cast<size_t>(threads));
  for (int rank = 0; rank < threads; ++rank) lanes_.emplace_back(layers, spans);
}

int Profile::threads() const {
  return static_cast<int>(
      std::ranges::count_if(lanes_, [](const ProfileLane& lane) { return !lane.empty(); }));
}

std::vector<Profile::Summary> Profile::Summarize() const {
  std::vector<Summary> summaries;
  for (const ProfileOp op : kProfileOps) {
    for (size_t layer = 0; layer <= layers_; ++layer) {
      const uint16_t at = layer < layers_ ? static_cast<uint16_t>(layer) : kNoLayer;
      Summary summary = {op, at, 0, 0, {}};
      for (const ProfileLane& lane : lanes_) {
        const ProfileTotal& total = lane.total(op, at);
        summary.calls += total.calls;
        summary.seconds += 1e-9 * static_cast<double>(total.ns);
        summary.work.flop += total.work.flop;
        summary.work.bytes += total.work.bytes;
      }
      summary.seconds /= threads();
      if (summary.calls > 0) summaries.push_back(summary);
    }
  }
  return summaries;
}

}  // namespace mlp
