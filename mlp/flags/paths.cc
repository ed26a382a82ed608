#include "mlp/flags/paths.h"

#include <cstdlib>
#include <filesystem>

namespace mlp::flags {
namespace {

std::string Below(const char* variable, const std::string& path) {
  const char* directory = std::getenv(variable);
  if (directory == nullptr || *directory == '\0') return path;
  // An absolute path replaces the directory.
  return (std::filesystem::path(directory) / path).string();
}

}  // namespace

std::string ResolvePath(const std::string& path) {
  return path.empty() ? path : Below("BUILD_WORKING_DIRECTORY", path);
}

std::string WorkspacePath(const std::string& path) {
  return Below("BUILD_WORKSPACE_DIRECTORY", path);
}

}  // namespace mlp::flags
