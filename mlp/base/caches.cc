#include "mlp/base/caches.h"

#include <fstream>

namespace mlp {
namespace {

// The first word of a file; "" if there is none.
std::string FirstWord(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// "32K", "2M" in bytes; 0 if it is something else.
uint64_t Bytes(const std::string& path) {
  std::ifstream file(path);
  uint64_t number = 0;
  char unit = 0;
  if (!(file >> number)) return 0;
  file >> unit;
  return unit == 'K'   ? number << 10
         : unit == 'M' ? number << 20
         : unit == 'G' ? number << 30
                       : number;
}

}  // namespace

std::map<std::string, uint64_t> CacheSizes(const std::string& root) {
  std::map<std::string, uint64_t> caches;
  for (int index = 0;; ++index) {
    const std::string directory =
        root + "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    const std::string level = FirstWord(directory + "level");
    const uint64_t bytes = Bytes(directory + "size");
    if (level.empty() || bytes == 0) return caches;
    const std::string type = FirstWord(directory + "type");
    const char* kind = type == "Data" ? "d" : type == "Instruction" ? "i" : "";
    caches["L" + level + kind + "_bytes"] = bytes;
  }
}

}  // namespace mlp
