// Where relative paths of a user lead: `bazel run` starts a program in another directory.
#pragma once

#include <string>

namespace mlp::flags {

// The path as the user meant it: a relative one starts at $BUILD_WORKING_DIRECTORY (where the user
// stands under `bazel run`), else it is returned as it is. "" stays "".
std::string ResolvePath(const std::string& path);

// A place in the source tree: below $BUILD_WORKSPACE_DIRECTORY, else below the current directory.
std::string WorkspacePath(const std::string& path);

}  // namespace mlp::flags
