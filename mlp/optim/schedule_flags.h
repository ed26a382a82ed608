// The flags of learning-rate schedules, the same in every command that has them.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mlp/flags/flags.h"
#include "mlp/optim/schedule.h"

namespace mlp::optim {

struct ScheduleFlags {
  std::string schedule = "constant";
  double decay = ScheduleOptions().decay;
  size_t decay_every = ScheduleOptions().decay_every;
  double decay_to = ScheduleOptions().decay_to;
  double warmup = ScheduleOptions().warmup;
};

// --schedule, --decay, --decay_every, --decay_to, --warmup.
void AddScheduleFlags(flags::Flags& flags, ScheduleFlags* options);

// InvalidArgument: one of them was given that has no effect with the schedule. After Parse.
absl::Status CheckEffect(const flags::Flags& flags, const ScheduleFlags& options);

// What they come to. InvalidArgument names the flag.
absl::StatusOr<ScheduleOptions> ToSchedule(const ScheduleFlags& flags);

}  // namespace mlp::optim
