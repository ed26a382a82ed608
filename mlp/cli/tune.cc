// `mlp tune`: measures this machine, shows what was measured, forgets it.
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mlp/cli/commands.h"
#include "mlp/cli/console.h"
#include "mlp/cli/options.h"
#include "mlp/flags/flags.h"
#include "mlp/tune/cache.h"
#include "mlp/tune/machine.h"
#include "mlp/tune/tuning.h"

namespace mlp::cli {
namespace {

constexpr absl::string_view kCommand = "mlp tune";

std::string Table(const tune::Tuning& tuning) {
  std::string text = "instruction set  threads  pixels multiplied   us a step\n";
  for (const auto& [candidate, step_s] : tuning.timings) {
    absl::StrAppendFormat(
        &text, "%-15s  %7d  %-17s  %10.1f\n", Name(candidate.isa), candidate.threads,
        candidate.skip_zeros ? absl::StrFormat("%.0f %% (not 0)", 100 * candidate.density) : "all",
        1e6 * step_s);
  }
  return text;
}

Json Document(const tune::Key& key, const tune::Tuning& tuning, const std::string& path) {
  return {{"machine", key.machine},
          {"build", key.build},
          {"tuning", tune::ToJson(tuning)},
          {"file", path.empty() ? Json(nullptr) : Json(path)}};
}

void Print(const tune::Key& key, const tune::Tuning& tuning, const std::string& path, bool json) {
  if (json) return PrintJson(Document(key, tuning, path));
  PrintText(absl::StrCat(key.machine, "\n", Table(tuning), "chosen: ", tune::Text(tuning), "\n"));
  if (!path.empty()) PrintText(absl::StrCat("kept in ", path, "\n"));
}

int Show(const tune::Key& key, const std::string& path, bool json) {
  const auto tuning = tune::Load(path, key, tune::ThisMachine());
  if (!tuning.ok()) {
    return Fail(absl::Status(
        tuning.status().code(),
        absl::StrCat(tuning.status().message(), "; `mlp tune` measures this machine")));
  }
  Print(key, *tuning, path, json);
  return kDone;
}

int Clear(const std::string& path, const OutputOptions& output) {
  const absl::Status removed = tune::Remove(path);
  if (!removed.ok() && !absl::IsNotFound(removed)) return Fail(removed);
  Note(output.quiet, removed.ok() ? absl::StrCat("removed ", path) : "nothing was kept");
  return kDone;
}

int MeasureAndKeep(const tune::Key& key, const std::string& path, const OutputOptions& output) {
  const tune::Tuning tuning = tune::TuneThisMachine();
  if (!tuning.steady) {
    const bool is_kept = tune::Load(path, key, tune::ThisMachine()).ok();
    Note(output.quiet, absl::StrCat("the machine was too busy to tell, so ",
                                    is_kept ? "what was kept stays as it is" : "nothing is kept"));
    Print(key, tuning, "", output.json);
    return kDone;
  }
  const absl::Status saved = tune::Save(path, key, tuning);
  if (!saved.ok()) return Fail(saved);
  Print(key, tuning, path, output.json);
  return kDone;
}

}  // namespace

int Tune(int argc, const char* const* argv) {
  flags::Flags flags(std::string(kCommand),
                     "measures which instruction set, how many threads and which way with zero "
                     "pixels are the fastest here, for later trainings.");
  bool show = false;
  bool clear = false;
  OutputOptions output;
  flags.Group("Instead of measuring");
  flags.Bool("show", &show, "what is kept");
  flags.Bool("clear", &clear, "forget it; the next training measures anew");
  AddOutputFlags(flags, &output, /*with_progress=*/false);
  flags.Example("mlp tune");
  flags.Example("mlp tune --show --json");
  flags.Example("mlp tune --clear");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;
  if (show && clear) {
    return RefuseUse(kCommand, absl::InvalidArgumentError(
                                   "expected one of --show and --clear, found both; drop one"));
  }
  const tune::Key key = tune::ThisKey();
  const absl::StatusOr<std::string> path = tune::CacheFile(key);
  if (!path.ok()) return Fail(path.status());
  if (show) return Show(key, *path, output.json);
  if (clear) return Clear(*path, output);
  return MeasureAndKeep(key, *path, output);
}

}  // namespace mlp::cli
