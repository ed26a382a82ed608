// `bazel run //experiments`: all experiments within one budget.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "experiments/harness/output.h"
#include "experiments/runner.h"
#include "mlp/base/timer.h"
#include "mlp/data/load.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/interrupt.h"
#include "mlp/flags/program.h"
#include "mlp/record/json.h"
#include "mlp/version/version.h"

namespace mlp::experiments {
namespace {

struct RunnerOptions {
  double budget_s = 300;
  std::vector<std::string> only;
  std::string data = "digits";
  std::string data_dir = "";
  int threads = 0;
  bool smoke = false;
  bool resume = false;
  OutputOptions output;
};

void AddFlags(flags::Flags& flags, RunnerOptions* o) {
  std::vector<std::string> names;
  for (const Entry& entry : ParseEntries(MLP_EXPERIMENTS)) names.push_back(entry.name);
  flags.Group("What to run");
  flags.Double("budget", &o->budget_s,
               {.help = "time for measuring, shared by all", .unit = "s", .min = 0, .max = 1e6});
  flags.StringList("only", &o->only,
                   {.help = absl::StrCat("experiments; empty: all of ", absl::StrJoin(names, ", ")),
                    .value_name = "NAMES"});
  flags.Bool("smoke", &o->smoke, "only see that all of them work");
  flags.Bool(
      "resume", &o->resume,
      "go on where an interrupted run ended: its last record, then those not begun; --budget "
      "is that of both runs together");
  flags.Group("Handed on to each experiment");
  flags.String(
      "data", &o->data,
      {.help = "digits, mnist, or a directory with four IDX files of 28 x 28 pictures (of others: "
               "call an experiment by itself, with --model); not to those that are about data of "
               "their own",
       .value_name = "DATA"});
  flags.String("data_dir", &o->data_dir, {.help = data::kDataDirHelp, .value_name = "DIR"});
  flags.Int("threads", &o->threads, {.help = "0: all that this process may use", .min = 0});
  AddOutputFlags(flags, &o->output);
  flags.Example("bazel run //experiments");
  flags.Example("bazel run //experiments -- --budget=900 --only=batch_sizes,threads");
  flags.Example("bazel run //experiments -- --smoke --out=/tmp/mlp-smoke");
}

// The experiments lie beside this program, in the build's output and in runfiles alike.
std::string Beside(const char* program, const std::string& name) {
  const std::string near = (std::filesystem::path(program).parent_path() / name).string();
  if (access(near.c_str(), X_OK) == 0) return near;
  std::error_code ignored;
  return (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / name).string();
}

std::vector<std::string> Command(const std::string& binary, const RunnerOptions& o, bool own_data,
                                 double budget_s) {
  std::vector<std::string> argv = {binary, "--json", absl::StrFormat("--budget=%.6g", budget_s),
                                   absl::StrCat("--threads=", o.threads),
                                   absl::StrCat("--progress=", o.output.progress)};
  if (!own_data) argv.push_back(absl::StrCat("--data=", o.data));
  if (!o.data_dir.empty()) argv.push_back(absl::StrCat("--data_dir=", o.data_dir));
  if (!o.output.out.empty()) argv.push_back(absl::StrCat("--out=", o.output.out));
  if (o.smoke) argv.push_back("--smoke");
  if (o.resume) argv.push_back("--resume");
  if (o.output.quiet) argv.push_back("--quiet");
  return argv;
}

// What decides the records, in one line.
std::string QuestionOf(const RunnerOptions& o) {
  return absl::StrFormat("--budget=%g --data=%s --data_dir=%s --threads=%d --smoke=%d of %s",
                         o.budget_s, o.data, o.data_dir, o.threads, o.smoke,
                         version::VersionText());
}

std::string RecordPath(const std::string& output) {
  const auto json = record::ParseJson(output, "stdout");
  if (!json.ok() || !json->is_object() || !json->contains("record")) return "";
  return (*json)["record"].get<std::string>();
}

std::string ToJson(const std::vector<Result>& results) {
  record::Json rows = record::Json::array();
  for (const Result& result : results) {
    rows.push_back({{"experiment", result.name},
                    {"status", result.status()},
                    {"seconds", result.seconds},
                    {"record", result.record}});
  }
  return absl::StrCat(record::Dump({{"experiments", rows}}, 1), "\n");
}

int Main(int argc, char** argv) {
  RunnerOptions options;
  flags::Flags flags("experiments", "Runs all experiments and writes their records.");
  AddFlags(flags, &options);
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;
  if (!data::HasPixels(options.data)) {
    absl::FPrintF(
        stderr,
        "experiments: --data: expected digits, mnist, or a directory with four IDX files, "
        "found %s; call an experiment by itself, with --model\n",
        options.data);
    return 2;
  }
  auto entries = Select(ParseEntries(MLP_EXPERIMENTS), options.only);
  if (!entries.ok()) {
    absl::FPrintF(stderr, "experiments: %s\n", std::string(entries.status().message()));
    return 2;
  }
  const absl::StatusOr<std::string> directory = OutputDirectory(options.output, options.smoke);
  if (!directory.ok()) {
    absl::FPrintF(stderr, "experiments: %s\n", std::string(directory.status().message()));
    return 1;
  }
  // Passed on to the experiment, which finishes its run.
  flags::CatchInterrupts();
  const std::string list = absl::StrCat(*directory, "/experiments.partial");
  DoneList done(list, QuestionOf(options), options.resume);
  if (done.was_of_another() && !options.output.quiet) {
    absl::FPrintF(stderr,
                  "experiments: %s is of other flags or sources; beginning anew instead of going "
                  "on\n",
                  list);
  }
  std::erase_if(*entries, [&](const Entry& entry) { return done.Contains(entry.name); });
  const double earlier_s = done.Seconds();
  const Timer timer;
  std::vector<Result> results;
  for (size_t i = 0; i < entries->size() && !flags::Interrupted(); ++i) {
    const Entry& entry = (*entries)[i];
    // One that was begun counts what it took before as spent, as we do.
    const double left_s =
        options.budget_s - earlier_s - timer.Seconds() + done.SecondsOfBegun(entry.name);
    const double budget_s = ShareOf(*entries, i, left_s);
    if (!options.output.quiet) {
      absl::FPrintF(stderr, "[%d/%d] %s, %.0f s of %.0f s that are left\n", i + 1, entries->size(),
                    entry.name, budget_s, std::max(0.0, left_s));
    }
    Result& result = results.emplace_back();
    result.name = entry.name;
    const Timer one;
    const auto finished =
        RunProgram(Command(Beside(argv[0], entry.name), options, entry.own_data, budget_s));
    result.seconds = one.Seconds();
    if (finished.ok()) {
      result.exit_code = finished->exit_code;
      result.record = RecordPath(finished->output);
      done.Add(entry.name, result.seconds, result.exit_code == 0);
    } else {
      result.exit_code = 1;
      absl::FPrintF(stderr, "experiments: %s\n", std::string(finished.status().message()));
    }
    if (result.exit_code == flags::kInterruptedExitCode) break;
  }
  flags::PrintText(options.output.json ? ToJson(results) : ResultsText(results));
  if (flags::Interrupted() ||
      (!results.empty() && results.back().exit_code == flags::kInterruptedExitCode)) {
    absl::FPrintF(stderr, "experiments: interrupted; the same command with --resume goes on\n");
    return flags::kInterruptedExitCode;
  }
  done.Remove();
  int exit_code = 0;
  for (const Result& result : results) {
    if (result.exit_code == 0) continue;
    exit_code = 1;
    absl::FPrintF(stderr, "experiments: %s: %s\n", result.name, result.status());
  }
  const bool any = std::ranges::any_of(results, [](const Result& r) { return r.exit_code == 0; });
  if (any && !options.output.quiet) {
    const std::string where =
        options.output.out.empty() ? "" : absl::StrCat(" -- --results=", *directory);
    absl::FPrintF(stderr, "For the report: ./bazelw run //analysis:report%s\n", where);
  }
  return exit_code;
}

}  // namespace
}  // namespace mlp::experiments

int main(int argc, char** argv) {
  return mlp::flags::RunMain("experiments", [&] { return mlp::experiments::Main(argc, argv); });
}
