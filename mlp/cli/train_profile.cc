#include "mlp/cli/train_profile.h"

#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mlp/io/atomic_file.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/pairs/pairs.h"

namespace mlp::cli {
namespace {

constexpr char kUpdatePeak[] = "update";
constexpr char kMemoryPeak[] = "memory";

// "-" where nothing was counted.
std::string Rate(double amount, double seconds, int width) {
  if (amount == 0 || seconds <= 0) return absl::StrFormat("%*s", width, "-");
  return absl::StrFormat("%*.1f", width, 1e-9 * amount / seconds);
}

double PerSecond(double amount, double seconds) { return seconds > 0 ? amount / seconds : 0; }

std::string LayerName(uint16_t layer) { return layer == kNoLayer ? "-" : absl::StrCat(layer + 1); }

}  // namespace

ProfileReport::ProfileReport(const Profile& profile, const train::StrategyOptions& strategy,
                             size_t steps, double step_seconds)
    : profile_(profile),
      peaks_(kernels::MeasurePeaks(std::max(1, profile.threads()))),
      first_(ArithmeticOf(strategy, /*with_bytes=*/true)),
      others_(ArithmeticOf(strategy, /*with_bytes=*/false)),
      steps_(steps),
      step_seconds_(step_seconds) {}

ProfileReport::Arithmetic ProfileReport::ArithmeticOf(const train::StrategyOptions& strategy,
                                                      bool with_bytes) {
  // What is left where zeros are skipped is multiplied as it is.
  const bool as_it_is = with_bytes && strategy.skip_zeros.value_or(false);
  const size_t terms = as_it_is ? 0 : kernels::TermsOf(strategy.precision, with_bytes);
  if (terms == 0) return {kernels::ArithmeticName(strategy.target.isa), 1};
  const kernels::KernelSet& kernels = kernels::KernelsFor(strategy.target);
  const auto* words = train::UsesAmx(strategy) ? kernels.tiles : kernels.pairs;
  const kernels::TermProducts products({nullptr, with_bytes ? 1 : terms, 0}, {nullptr, terms, 0});
  return {kernels::ArithmeticName(strategy.target.isa, words->unit),
          static_cast<double>(std::span<const kernels::PanelTerm>(products).size())};
}

ProfileReport::Attained ProfileReport::AttainedBy(const Profile::Summary& op) const {
  const auto part = [&](const std::string& peak, double amount) -> Attained {
    if (amount == 0 || op.seconds <= 0) return {};
    return {100 * amount / op.seconds / peaks_.Find(peak).all_threads, peak};
  };
  switch (BoundOf(op.op)) {
    case ProfileBound::kArithmetic:
      return part(ArithmeticOf(op.layer).peak, ArithmeticOf(op.layer).products * op.work.flop);
    case ProfileBound::kUpdate:
      return part(kUpdatePeak, op.work.bytes);
    case ProfileBound::kMemory:
      return part(kMemoryPeak, op.work.bytes);
    case ProfileBound::kNone:
      return {};
  }
  __builtin_unreachable();
}

std::string ProfileReport::Table() const {
  const int threads = profile_.threads();
  const double steps = std::max(1.0, static_cast<double>(steps_));
  const double share = step_seconds_ > 0 ? 100 / step_seconds_ : 0;
  std::string arithmetic;
  for (const std::string& peak : std::set<std::string>{first_.peak, others_.peak}) {
    absl::StrAppendFormat(&arithmetic, "%s %.1f Gflop/s, ", peak,
                          1e-9 * peaks_.Find(peak).all_threads);
  }
  std::string text = absl::StrFormat(
      "profile: %d steps of %.1f us on %d thread%s\n"
      "measured peaks: %s%s %.1f GB/s, %s %.1f GB/s\n"
      "phase     op                     layer  calls/step   us/step    share  Gflop/s     GB/s  "
      "of its peak\n",
      steps_, 1e6 * step_seconds_ / steps, threads, threads == 1 ? "" : "s", arithmetic,
      kUpdatePeak, 1e-9 * peaks_.Find(kUpdatePeak).all_threads, kMemoryPeak,
      1e-9 * peaks_.Find(kMemoryPeak).all_threads);
  double rest = step_seconds_;
  for (const Profile::Summary& op : profile_.Summarize()) {
    rest -= op.seconds;
    const Attained attained = AttainedBy(op);
    absl::StrAppendFormat(
        &text, "%-8s  %-21s  %5s  %10.1f  %8.2f  %5.1f %%  %s  %s%s\n", std::string(PhaseOf(op.op)),
        std::string(Name(op.op)), LayerName(op.layer),
        static_cast<double>(op.calls) / threads / steps, 1e6 * op.seconds / steps,
        share * op.seconds, Rate(op.work.flop, op.seconds, 7), Rate(op.work.bytes, op.seconds, 7),
        attained.peak.empty()
            ? ""
            : absl::StrFormat("  %5.1f %% of %s", attained.percent, attained.peak));
  }
  // Shuffling, handing work to the threads, and what threads without a share do not do.
  absl::StrAppendFormat(&text, "%-8s  %-21s  %5s  %10s  %8.2f  %5.1f %%\n", "rest", "", "", "",
                        1e6 * rest / steps, share * rest);
  return text;
}

Json ProfileReport::Document() const {
  Json document = {
      {"steps", steps_}, {"step_seconds", step_seconds_}, {"threads", profile_.threads()}};
  Json peaks = Json::object();
  for (const kernels::Rate& rate : peaks_.rates) {
    const bool arithmetic = rate.peak.kind == kernels::Peak::Kind::kArithmetic;
    peaks[rate.peak.name] = {{"unit", arithmetic ? "flop/s" : "bytes/s"},
                             {"one_thread", rate.one_thread},
                             {"all_threads", rate.all_threads}};
  }
  document["peaks"] = peaks;
  Json ops = Json::array();
  for (const Profile::Summary& op : profile_.Summarize()) {
    const Attained attained = AttainedBy(op);
    Json json = {{"phase", std::string(PhaseOf(op.op))},
                 {"op", std::string(Name(op.op))},
                 {"layer", op.layer == kNoLayer ? Json(nullptr) : Json(op.layer + 1)},
                 {"calls", op.calls},
                 {"seconds", op.seconds},
                 {"flop", op.work.flop},
                 {"bytes", op.work.bytes},
                 {"flop_per_s", PerSecond(op.work.flop, op.seconds)},
                 {"bytes_per_s", PerSecond(op.work.bytes, op.seconds)},
                 {"peak", nullptr},
                 {"peak_pct", nullptr}};
    if (!attained.peak.empty()) {
      json["peak"] = attained.peak;
      json["peak_pct"] = attained.percent;
    }
    ops.push_back(json);
  }
  document["ops"] = ops;
  return document;
}

absl::Status ProfileReport::WriteTrace(const std::string& path) const {
  std::string text = absl::StrCat(kTraceFile.prefix, "\"ns\",\"traceEvents\":[");
  const char* separator = "\n";
  const auto append = [&](const Json& event) {
    absl::StrAppend(&text, separator, event.dump());
    separator = ",\n";
  };
  append({{"name", "process_name"}, {"ph", "M"}, {"pid", 1}, {"args", {{"name", "mlp train"}}}});
  const std::vector<ProfileLane>& lanes = profile_.lanes();
  for (size_t rank = 0; rank < lanes.size(); ++rank) {
    append({{"name", "thread_name"},
            {"ph", "M"},
            {"pid", 1},
            {"tid", rank},
            {"args", {{"name", absl::StrCat("worker ", rank)}}}});
    for (const ProfileSpan& span : lanes[rank].Spans()) {
      Json event = {{"name", std::string(Name(span.op))},
                    {"cat", std::string(PhaseOf(span.op))},
                    {"ph", "X"},
                    {"pid", 1},
                    {"tid", rank},
                    {"ts", 1e-3 * static_cast<double>(span.begin_ns - profile_.start_ns())},
                    {"dur", 1e-3 * static_cast<double>(span.end_ns - span.begin_ns)}};
      Json args = Json::object();
      if (span.layer != kNoLayer) args["layer"] = span.layer + 1;
      if (span.work.flop > 0) args["flop"] = span.work.flop;
      if (span.work.bytes > 0) args["bytes"] = span.work.bytes;
      if (!args.empty()) event["args"] = args;
      append(event);
    }
  }
  absl::StrAppend(&text, "\n]}\n");
  return io::WriteFileAtomically(path, text);
}

}  // namespace mlp::cli
