// bazel run //analysis:validate -- FILES|DIRS
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "analysis/load.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/paths.h"
#include "mlp/flags/program.h"
#include "mlp/record/record.h"

namespace {

// A record under another name is read all the same, as by compare: no error.
void WarnOfName(const std::string& file, const std::string& id) {
  const std::string name = std::filesystem::path(file).filename();
  const std::string expected = id + ".json";
  if (name == expected) return;
  std::fprintf(stderr,
               "validate: warning: %s: expected the name %s, as its id, found %s; rename it, but "
               "for a copy\n",
               file.c_str(), expected.c_str(), name.c_str());
}

int Main(int argc, char** argv) {
  std::vector<std::string> paths;
  mlp::flags::Flags flags("validate", "Checks records against their schema.");
  flags.Positional(&paths, {.help = "a record, or a directory of them [results/ of the sources]",
                            .value_name = "PATH"});
  flags.Example("bazel run //analysis:validate");
  flags.Example("bazel run //analysis:validate -- results/raw");
  flags.Example("bazel run //analysis:validate -- results/raw/threads");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;
  for (std::string& path : paths) path = mlp::flags::ResolvePath(path);
  if (paths.empty()) paths.push_back(mlp::flags::WorkspacePath("results"));

  int exit_code = 0;
  for (const std::string& path : paths) {
    const std::vector<std::string> files = mlp::analysis::RecordFiles(path);
    if (files.empty()) {
      std::fprintf(
          stderr,
          "validate: %s: expected records, found none; name a record or a directory of them\n",
          path.c_str());
      exit_code = 1;
    }
    for (const std::string& file : files) {
      const auto record = mlp::record::ReadRecord(file);
      if (record.ok()) {
        std::printf("ok   %s\n", file.c_str());
        WarnOfName(file, record->id);
      } else {
        std::printf("bad  %s\n", std::string(record.status().message()).c_str());
        exit_code = 1;
      }
    }
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  return mlp::flags::RunMain("validate", [&] { return Main(argc, argv); });
}
