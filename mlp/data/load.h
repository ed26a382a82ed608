// From what a user says (--data, --data_dir) to a dataset in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "mlp/data/dataset.h"

namespace mlp::data {

struct Source {
  std::string data = "digits";  // digits, circles, mnist, or a directory with the four IDX files
  std::string data_dir = "";    // where to look for mnist first
  uint64_t data_seed = 1;       // of what is generated
  // Of digits alone.
  size_t digits_train = 60000;
  size_t digits_test = 10000;
  // Training pixels are packed where less than this part of them is not 0. For who can read them
  // so, see Examples.
  double pack_below = 0;
  // Likewise of the test part.
  double pack_test_below = 0;
  // Whoever asks can use nothing else: circles is refused.
  bool needs_pixels = false;
};

// The help of --data_dir.
inline constexpr char kDataDirHelp[] =
    "where mnist lies; else $MNIST_DIR, else the user's cache directory";

// Whether the data has a name of its own, and is no path.
inline bool IsNamed(const std::string& data) {
  return data == "digits" || data == "circles" || data == "mnist";
}
// Whether its inputs are pixels; else they are values.
inline bool HasPixels(const std::string& data) { return data != "circles"; }

// Classes are 10 for mnist, and for a directory as many as its labels say, up to 256. Errors name
// the file and the place: those of ReadExamples, LocateMnist and FindIdxFiles; InvalidArgument
// where the pictures of the two parts differ in shape, or pixels are needed and there are none.
absl::StatusOr<Dataset> Load(const Source& source);

}  // namespace mlp::data
