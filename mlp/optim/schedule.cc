#include "mlp/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "mlp/base/names.h"

namespace mlp::optim {
namespace {

// One for each row of schedules.inc.
//   kByEpoch                    it changes between epochs alone
//   Factor(options, epoch, part)  epoch: complete ones; part: of the steps after the warm-up, in
//                                 [0, 1)
struct Constant {
  static constexpr bool kByEpoch = true;
  static double Factor(const ScheduleOptions&, double, double) { return 1; }
};

struct Step {
  static constexpr bool kByEpoch = true;
  static double Factor(const ScheduleOptions& o, double epoch, double) {
    return std::pow(o.decay, std::floor(epoch / static_cast<double>(o.decay_every)));
  }
};

struct Exponential {
  static constexpr bool kByEpoch = true;
  static double Factor(const ScheduleOptions& o, double epoch, double) {
    return std::pow(o.decay, epoch);
  }
};

struct Linear {
  static constexpr bool kByEpoch = false;
  static double Factor(const ScheduleOptions& o, double, double part) {
    return o.decay_to + (1 - o.decay_to) * (1 - part);
  }
};

// Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5,
// without restarts.
struct Cosine {
  static constexpr bool kByEpoch = false;
  static double Factor(const ScheduleOptions& o, double, double part) {
    return o.decay_to + (1 - o.decay_to) * (1 + std::cos(std::numbers::pi * part)) / 2;
  }
};

// visit(functor) for the kind's.
template <class Visit>
auto With(ScheduleKind kind, Visit visit) {
  switch (kind) {
#define MLP_SCHEDULE(functor, name, purpose) \
  case ScheduleKind::k##functor:             \
    return visit(functor());
#include "mlp/optim/schedules.inc"
#undef MLP_SCHEDULE
  }
  __builtin_unreachable();
}

absl::Status Wrong(absl::string_view flag, absl::string_view expected, double found, double usual) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": expected ", expected, ", found ", found,
                                                 "; ", usual, " is the default"));
}

}  // namespace

absl::string_view Name(ScheduleKind kind) {
  switch (kind) {
#define MLP_SCHEDULE(functor, name, purpose) \
  case ScheduleKind::k##functor:             \
    return name;
#include "mlp/optim/schedules.inc"
#undef MLP_SCHEDULE
  }
  __builtin_unreachable();
}

absl::string_view Purpose(ScheduleKind kind) {
  switch (kind) {
#define MLP_SCHEDULE(functor, name, purpose) \
  case ScheduleKind::k##functor:             \
    return purpose;
#include "mlp/optim/schedules.inc"
#undef MLP_SCHEDULE
  }
  __builtin_unreachable();
}

absl::StatusOr<ScheduleKind> ParseScheduleKind(absl::string_view name) {
  return ParseName("--schedule", kScheduleKinds, name);
}

absl::Status Validate(const ScheduleOptions& o) {
  if (!(o.decay > 0 && o.decay <= 1))
    return Wrong("--decay", "a number in (0, 1]", o.decay, ScheduleOptions().decay);
  if (o.decay_every == 0)
    return Wrong("--decay_every", "a number of epochs from 1", 0,
                 static_cast<double>(ScheduleOptions().decay_every));
  if (!(o.decay_to >= 0 && o.decay_to <= 1)) {
    return Wrong("--decay_to", "a number from 0 to 1", o.decay_to, ScheduleOptions().decay_to);
  }
  if (!(o.warmup >= 0 && std::isfinite(o.warmup))) {
    return Wrong("--warmup", "a number of epochs from 0", o.warmup, ScheduleOptions().warmup);
  }
  return absl::OkStatus();
}

double ScheduleFactor(const ScheduleOptions& options, const Progress& progress) {
  const auto per_epoch = static_cast<double>(progress.steps_per_epoch);
  const double total = static_cast<double>(std::max<size_t>(progress.epochs, 1)) * per_epoch;
  const double step = std::min(static_cast<double>(progress.step), total - 1);
  const double warmup = options.warmup * per_epoch;
  const double rise = step < warmup ? std::min((step + 1) / warmup, 1.0) : 1;
  const double part = step < warmup ? 0 : (step - warmup) / (total - warmup);
  const double fall = With(options.kind, [&]<class F>(F) {
    return F::Factor(options, std::floor(step / per_epoch), part);
  });
  // Many small decays end in 0, at which nothing would be learnt, nor divided by.
  return std::max(rise * fall, std::numeric_limits<double>::min());
}

bool IsConstantWithin(const ScheduleOptions& options, size_t epoch) {
  return static_cast<double>(epoch) >= options.warmup &&
         With(options.kind, []<class F>(F) { return F::kByEpoch; });
}

}  // namespace mlp::optim
