#include "mlp/data/locate.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mlp/data/file_error.h"
#include "mlp/io/directories.h"

namespace mlp::data {
namespace {

// "train-images" and "idx3-ubyte" make both spellings that are in use.
struct FileName {
  const char* stem;
  const char* type;
  std::string IdxFiles::*member;
};

constexpr FileName kFileNames[] = {
    {"train-images", "idx3-ubyte", &IdxFiles::train_images},
    {"train-labels", "idx1-ubyte", &IdxFiles::train_labels},
    {"t10k-images", "idx3-ubyte", &IdxFiles::test_images},
    {"t10k-labels", "idx1-ubyte", &IdxFiles::test_labels},
};

bool Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// The first spelling that exists, or nothing.
std::string FindSpelling(absl::string_view directory, const FileName& name) {
  for (const char* joint : {"-", "."}) {
    for (const char* ending : {"", ".gz"}) {
      std::string path = absl::StrCat(directory, "/", name.stem, joint, name.type, ending);
      if (Exists(path)) return path;
    }
  }
  return {};
}

// Empty where the environment names neither a cache nor a home directory.
std::string CacheDirectory() {
  const absl::StatusOr<std::string> cache = io::CacheDirectory();
  return cache.ok() ? absl::StrCat(*cache, "/mlp-lab/mnist") : "";
}

}  // namespace

absl::StatusOr<IdxFiles> FindIdxFiles(absl::string_view directory) {
  IdxFiles files;
  std::vector<std::string> missing;
  for (const FileName& name : kFileNames) {
    files.*name.member = FindSpelling(directory, name);
    if ((files.*name.member).empty()) missing.push_back(absl::StrCat(name.stem, "-", name.type));
  }
  if (missing.empty()) return files;
  std::error_code ignored;
  const bool is_there = std::filesystem::is_directory(std::string(directory), ignored);
  return FileError(
      absl::StatusCode::kNotFound, directory, "directory",
      "the four IDX files of a dataset, plain or .gz",
      is_there ? absl::StrCat("no ", absl::StrJoin(missing, ", no ")) : "no such directory",
      is_there ? "put them there" : "name one that has them");
}

absl::StatusOr<IdxFiles> LocateMnist(absl::string_view data_dir) {
  std::vector<std::string> names;
  for (const FileName& name : kFileNames) {
    names.push_back(absl::StrCat(name.stem, "-", name.type, ".gz"));
  }
  const std::string get = absl::StrCat(
      "get ", absl::StrJoin(names, ", "),
      " (published by Y. LeCun, C. Cortes and C. Burges as \"The MNIST database of handwritten "
      "digits\", http://yann.lecun.com/exdb/mnist) and put them into ");
  const std::string otherwise = ", or use --data=digits, which needs no files";
  // Who names a place means it: other data would be a surprise.
  if (!data_dir.empty()) {
    absl::StatusOr<IdxFiles> files = FindIdxFiles(data_dir);
    if (files.ok()) return files;
    return absl::Status(files.status().code(),
                        absl::StrCat(files.status().message(), "; ", get, data_dir, otherwise));
  }
  const std::string cache = CacheDirectory();
  const std::pair<const char*, std::string> places[] = {
      {"MNIST_DIR", io::Variable("MNIST_DIR")},
      {"cache", cache},
  };
  std::vector<std::string> looked_at;
  for (const auto& [name, directory] : places) {
    if (directory.empty()) {
      looked_at.push_back(absl::StrCat(name, " (not set)"));
      continue;
    }
    absl::StatusOr<IdxFiles> files = FindIdxFiles(directory);
    if (files.ok()) return files;
    looked_at.push_back(absl::StrCat(name, " ", directory));
  }
  return FileError(
      absl::StatusCode::kNotFound, "mnist", "directory", "its four IDX files",
      absl::StrCat("not all of them in any of: ", absl::StrJoin(looked_at, ", ")),
      absl::StrCat(get, cache.empty() ? "a directory named by --data_dir" : cache, otherwise));
}

}  // namespace mlp::data
