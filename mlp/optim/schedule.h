// Learning-rate schedules: which part of the learning rate a step takes. A function of how far
// training is and of nothing else, so a resumed training needs no more than to know where it
// stands.
#pragma once

#include <array>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::optim {

enum class ScheduleKind {
#define MLP_SCHEDULE(functor, name, purpose) k##functor,
#include "mlp/optim/schedules.inc"
#undef MLP_SCHEDULE
};

inline constexpr std::array kScheduleKinds = {
#define MLP_SCHEDULE(functor, name, purpose) ScheduleKind::k##functor,
#include "mlp/optim/schedules.inc"
#undef MLP_SCHEDULE
};

absl::string_view Name(ScheduleKind kind);
absl::string_view Purpose(ScheduleKind kind);
absl::StatusOr<ScheduleKind> ParseScheduleKind(absl::string_view name);

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::kConstant;
  double decay = 0.9;       // of step and exponential
  size_t decay_every = 10;  // epochs; of step
  double decay_to = 0;      // of linear and cosine: the part that is left at the end
  // Epochs over which the rate first rises from 0 in equal amounts, the whole of it from the last
  // of these steps on (Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2). linear
  // and cosine begin after them, step and exponential count epochs from the start.
  double warmup = 0;
};

// InvalidArgument names the first value that makes no sense.
absl::Status Validate(const ScheduleOptions& options);

// Where training stands.
struct Progress {
  size_t step = 0;  // steps done, since the first epoch
  size_t steps_per_epoch = 1;
  size_t epochs = 1;  // in all
};

// What the learning rate of the next step is multiplied by: above 0, at most 1. For valid options;
// steps beyond the last epoch get what the last one gets.
double ScheduleFactor(const ScheduleOptions& options, const Progress& progress);

// Whether all steps of that epoch (from 0) get the same.
bool IsConstantWithin(const ScheduleOptions& options, size_t epoch);

}  // namespace mlp::optim
