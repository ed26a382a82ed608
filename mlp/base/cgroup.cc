#include "mlp/base/cgroup.h"

#include <fstream>

namespace mlp {

std::vector<std::string> CgroupDirectories(const std::string& file, const std::string& root) {
  std::ifstream lines(file);
  std::string path;
  while (std::getline(lines, path) && !path.starts_with("0::/")) {
  }
  path = path.starts_with("0::/") ? path.substr(3) : "/";
  std::vector<std::string> directories;
  for (; path.size() > 1; path.resize(path.rfind('/'))) directories.push_back(root + path);
  directories.push_back(root);
  return directories;
}

}  // namespace mlp
