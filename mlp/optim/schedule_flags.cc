#include "mlp/optim/schedule_flags.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mlp/base/names.h"
#include "mlp/base/status_macros.h"
#include "mlp/flags/effect.h"

namespace mlp::optim {

void AddScheduleFlags(flags::Flags& flags, ScheduleFlags* o) {
  const std::string purposes =
      absl::StrJoin(kScheduleKinds, "; ", [](std::string* out, ScheduleKind kind) {
        absl::StrAppend(out, Name(kind), ": ", Purpose(kind));
      });
  flags.Choice("schedule", &o->schedule, Names(kScheduleKinds),
               {.help = absl::StrCat("what is left of the learning rate: ", purposes)});
  flags.Double("decay", &o->decay, {.help = "of step and exponential", .min = 0, .max = 1});
  flags.Int("decay_every", &o->decay_every, {.help = "of step", .unit = "EPOCHS", .min = 1});
  flags.Double(
      "decay_to", &o->decay_to,
      {.help = "of linear and cosine: the part that is left after --epochs", .min = 0, .max = 1});
  flags.Double("warmup", &o->warmup,
               {.help = "the learning rate first rises from 0, step by step, for so long",
                .unit = "EPOCHS",
                .min = 0});
}

absl::Status CheckEffect(const flags::Flags& flags, const ScheduleFlags& options) {
  const struct {
    const char* name;
    std::vector<std::string> schedules;
  } kDependent[] = {{"decay", {"step", "exponential"}},
                    {"decay_every", {"step"}},
                    {"decay_to", {"linear", "cosine"}}};
  for (const auto& flag : kDependent) {
    if (!flags.Given(flag.name)) continue;
    if (std::ranges::find(flag.schedules, options.schedule) != flag.schedules.end()) continue;
    return flags::NoEffect(flag.name, "schedule", flag.schedules, options.schedule);
  }
  return absl::OkStatus();
}

absl::StatusOr<ScheduleOptions> ToSchedule(const ScheduleFlags& flags) {
  ScheduleOptions options;
  MLP_ASSIGN_OR_RETURN(options.kind, ParseScheduleKind(flags.schedule));
  options.decay = flags.decay;
  options.decay_every = flags.decay_every;
  options.decay_to = flags.decay_to;
  options.warmup = flags.warmup;
  return options;
}

}  // namespace mlp::optim
