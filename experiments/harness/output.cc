#include "experiments/harness/output.h"

#include <filesystem>

#include "mlp/flags/paths.h"

namespace mlp::experiments {

void AddOutputFlags(flags::Flags& flags, OutputOptions* o) {
  flags.Group("Output");
  flags.String("out", &o->out,
               {.help = "results directory (empty: results/ in the workspace; for --smoke a "
                        "temporary one)",
                .value_name = "DIR"});
  flags.Bool("json", &o->json, "one JSON document on stdout");
  flags.Bool("quiet", &o->quiet, "errors only on stderr");
  flags.Choice("progress", &o->progress, {"auto", "always", "never"},
               {.help = "auto: a bar on a terminal"});
}

std::string OutputDirectory(const OutputOptions& options, bool smoke) {
  if (!options.out.empty()) return flags::ResolvePath(options.out);
  // Toy figures do not belong among results.
  if (smoke) return (std::filesystem::temp_directory_path() / "mlp-lab-smoke").string();
  return flags::WorkspacePath("results");
}

}  // namespace mlp::experiments
