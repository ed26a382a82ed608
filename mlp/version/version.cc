#include "mlp/version/version.h"

#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
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
  if (const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY")) {
    return ReadSourceState(workspace);
  }
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  return error ? SourceState() : ReadSourceStateOfProgram(program);
}

SourceState ReadSourceStateOfProgram(const std::string& program) {
  const size_t output_base = program.rfind("/execroot/");
  if (output_base == std::string::npos) return {};
  // Bazel's note of which workspace the outputs belong to.
  const auto workspace =
      io::ReadFile(program.substr(0, output_base) + "/DO_NOT_BUILD_HERE", 1 << 16);
  if (!workspace.ok()) return {};
  const std::string root(absl::StripAsciiWhitespace(*workspace));
  SourceState state = ReadSourceState(root);
  struct stat built;
  std::string committed;
  int64_t committed_s = 0;
  if (state.commit != SourceState().commit &&
      (stat(program.c_str(), &built) != 0 ||
       !Git(root, {"log", "-1", "--format=%ct"}, &committed) ||
       !absl::SimpleAtoi(committed, &committed_s) || committed_s > built.st_mtime)) {
    state.dirty = true;
  }
  return state;
}

std::string VersionText() {
  const SourceState state = ReadSourceState();
  return absl::StrCat(kVersion, " (commit ", state.commit.substr(0, 7),
                      state.dirty ? ", changed since)" : ")");
}

}  // namespace mlp::version
