#include "experiments/harness/output.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "mlp/base/status_macros.h"
#include "mlp/flags/paths.h"
#include "mlp/io/directories.h"

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

absl::StatusOr<std::string> OutputDirectory(const OutputOptions& options, bool smoke) {
  if (!options.out.empty()) return flags::ResolvePath(options.out);
  if (!smoke) return flags::WorkspacePath("results");
  // Toy figures do not belong among results.
  MLP_ASSIGN_OR_RETURN(const std::string directory, io::TemporaryDirectory());
  return absl::StrCat(directory, "/mlp-lab-smoke-", getuid());
}

}  // namespace mlp::experiments
