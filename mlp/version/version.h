// What this program is: its version, and the state of the sources it was built from.
#pragma once

#include <string>

namespace mlp::version {

inline constexpr char kVersion[] = "0.1.0";

struct SourceState {
  std::string commit = "unknown";  // 40 hexadecimal digits, or "unknown".
  bool dirty = false;              // Files outside results/ differ from the commit.
};

// Asks git at run time: `bazel run` has just built the tree that it finds, and nothing about the
// commit enters a build action, so a new commit rebuilds nothing. The tree is
// $BUILD_WORKSPACE_DIRECTORY, else the one around the current directory; one that is not this
// workspace (or no git) is "unknown".
SourceState ReadSourceState();

// The same for a named directory.
SourceState ReadSourceState(const std::string& directory);

// "0.1.0 (commit 1a2b3c4)", "0.1.0 (commit 1a2b3c4, changed since)", "0.1.0 (commit unknown)".
std::string VersionText();

}  // namespace mlp::version
