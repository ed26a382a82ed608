// What this program is: its version, and the state of the sources it was built from.
#pragma once

#include <string>

namespace mlp::version {

inline constexpr char kVersion[] = "0.1.0";

struct SourceState {
  std::string commit = "unknown";  // 40 hexadecimal digits, or "unknown".
  bool dirty = false;              // Files outside results/ differ from the commit.
};

// Asks git at run time, so that nothing about the commit enters a build action and a new commit
// rebuilds nothing. The tree is $BUILD_WORKSPACE_DIRECTORY, which `bazel run` has just built, else
// the one that Bazel built this program in; there, a commit made after the program counts as a
// change. A program elsewhere (or no git) is "unknown".
SourceState ReadSourceState();

// The same for a named directory, and for the path of a program among Bazel's outputs.
SourceState ReadSourceState(const std::string& directory);
SourceState ReadSourceStateOfProgram(const std::string& program);

// "0.1.0 (commit 1a2b3c4)", "0.1.0 (commit 1a2b3c4, changed since)", "0.1.0 (commit unknown)".
std::string VersionText();

}  // namespace mlp::version
