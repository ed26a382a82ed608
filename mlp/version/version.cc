#include "mlp/version/version.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "mlp/io/atomic_file.h"
#include "mlp/io/subprocess.h"

namespace mlp::version {
namespace {

// False if git is not there or refuses.
bool Git(const std::string& directory, std::vector<std::string> arguments, std::string* output) {
  std::vector<std::string> argv = {"git", "-C", directory};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto result = io::RunCommand(argv);
  if (!result.ok() || result->exit_code != 0) return false;
  *output = std::string(absl::StripAsciiWhitespace(result->output));
  return true;
}

bool IsThisWorkspace(const std::string& root) {
  const auto workspace = io::ReadFile(root + "/WORKSPACE", 1 << 20);
  return workspace.ok() && absl::StrContains(*workspace, "name = \"mlp_lab\"");
}

}  // namespace

SourceState ReadSourceState(const std::string& directory) {
  SourceState state;
  std::string root, commit, changes;
  if (!Git(directory, {"rev-parse", "--show-toplevel"}, &root) || !IsThisWorkspace(root) ||
      !Git(root, {"rev-parse", "--verify", "HEAD"}, &commit) || commit.size() != 40 ||
      !Git(root, {"status", "--porcelain", "--", ".", ":(exclude)results"}, &changes)) {
    return state;
  }
  return {.commit = commit, .dirty = !changes.empty()};
}

SourceState ReadSourceState() {
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  return ReadSourceState(workspace != nullptr ? workspace : ".");
}

std::string VersionText() {
  const SourceState state = ReadSourceState();
  return absl::StrCat(kVersion, " (commit ", state.commit.substr(0, 7),
                      state.dirty ? ", changed since)" : ")");
}

}  // namespace mlp::version
