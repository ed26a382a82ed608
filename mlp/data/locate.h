// Where the four IDX files of a dataset lie.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::data {

struct IdxFiles {
  std::string train_images;
  std::string train_labels;
  std::string test_images;
  std::string test_labels;
};

// The four files in a directory under MNIST's names, e.g. train-images-idx3-ubyte or
// train-images.idx3-ubyte, each plain or with .gz. NotFound names what is missing.
absl::StatusOr<IdxFiles> FindIdxFiles(absl::string_view directory);

// MNIST's four files: in data_dir if that is not empty, else where the environment's MNIST_DIR
// points, else in the user's cache directory. NotFound names the places looked at and says where to
// get the files.
absl::StatusOr<IdxFiles> LocateMnist(absl::string_view data_dir);

}  // namespace mlp::data
