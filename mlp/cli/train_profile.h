// What `mlp train --profile` says: a table of ops, the same as JSON, and a trace.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "mlp/base/profile.h"
#include "mlp/cli/console.h"
#include "mlp/io/replace.h"
#include "mlp/kernels/peak/peak.h"
#include "mlp/train/strategies/strategy.h"

namespace mlp::cli {

// How the trace's file begins.
inline constexpr io::FileKind kTraceFile = {"profile's trace", "{\"displayTimeUnit\":"};

// A profile of finished training, beside what the machine can do.
class ProfileReport {
 public:
  // Measures the peaks, which takes less than a second. The steps took `step_seconds` in all.
  ProfileReport(const Profile& profile, const train::StrategyOptions& strategy, size_t steps,
                double step_seconds);

  // One line for each op of each layer.
  std::string Table() const;
  Json Document() const;

  // In the Trace Event Format of Chrome ("X" events; ts and dur in microseconds), for
  // https://ui.perfetto.dev: the newest spans of each thread. The file appears as a whole.
  absl::Status WriteTrace(const std::string& path) const;

 private:
  // The part of its bound that an op attains, in percent, and the bound's name.
  struct Attained {
    double percent = 0;
    std::string peak = "";  // "" where none is measured for the op
  };
  Attained AttainedBy(const Profile::Summary& op) const;

  // What products of a layer are compared with.
  struct Arithmetic {
    std::string peak;
    double products;  // for each that was asked for, where factors are split into terms
  };
  static Arithmetic ArithmeticOf(const train::StrategyOptions& strategy, bool with_bytes);
  const Arithmetic& ArithmeticOf(uint16_t layer) const { return layer == 0 ? first_ : others_; }

  const Profile& profile_;
  const kernels::Peaks peaks_;
  const Arithmetic first_;
  const Arithmetic others_;
  const size_t steps_;
  const double step_seconds_;
};

}  // namespace mlp::cli
