#include "mlp/data/load.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mlp/base/status_macros.h"
#include "mlp/data/circles.h"
#include "mlp/data/digits.h"
#include "mlp/data/file_error.h"
#include "mlp/data/idx.h"
#include "mlp/data/locate.h"

namespace mlp::data {
namespace {

constexpr size_t kMnistClasses = 10;
constexpr size_t kMaxClasses = 256;  // a label is a byte

// As many classes as the labels have, but `classes` at least and `most` at most.
absl::StatusOr<Dataset> Read(std::string name, const IdxFiles& files, size_t classes, size_t most,
                             const Source& source) {
  MLP_ASSIGN_OR_RETURN(LabelledImages train, ReadExamples(files.train_images, files.train_labels,
                                                          most, source.pack_below));
  MLP_ASSIGN_OR_RETURN(LabelledImages test, ReadExamples(files.test_images, files.test_labels, most,
                                                         source.pack_test_below));
  for (const data::Examples* examples : {&train.examples, &test.examples}) {
    for (const uint8_t label : examples->labels) classes = std::max<size_t>(classes, label + 1);
  }
  if (train.rows != test.rows || train.cols != test.cols) {
    return FileError(
        absl::StatusCode::kInvalidArgument, files.test_images, "byte 8",
        absl::StrCat("images of ", train.rows, " x ", train.cols, " as in ", files.train_images),
        absl::StrCat(test.rows, " x ", test.cols), "name files that belong together");
  }
  Dataset dataset{.name = std::move(name),
                  .rows = train.rows,
                  .cols = train.cols,
                  .classes = classes,
                  .train = std::move(train.examples),
                  .test = std::move(test.examples),
                  .sha256 = {}};
  dataset.sha256 = Sha256(dataset);
  return dataset;
}

}  // namespace

absl::StatusOr<Dataset> Load(const Source& source) {
  const auto wrong = [&source](absl::StatusCode code, absl::string_view found) {
    return FileError(code, source.data.empty() ? "\"\"" : source.data, "--data",
                     absl::StrCat("digits, ", source.needs_pixels ? "" : "circles, ",
                                  "mnist, or a directory with four IDX files"),
                     found, "choose one of these");
  };
  if (source.needs_pixels && !HasPixels(source.data)) {
    return wrong(absl::StatusCode::kInvalidArgument, "values that are no pixels");
  }
  if (source.data == "digits") {
    return MakeDigits(source.data_seed, source.digits_train, source.digits_test, source.pack_below,
                      source.pack_test_below);
  }
  if (source.data == "circles") return MakeCircles({.seed = source.data_seed});
  if (source.data == "mnist") {
    MLP_ASSIGN_OR_RETURN(const IdxFiles files, LocateMnist(source.data_dir));
    return Read(source.data, files, kMnistClasses, kMnistClasses, source);
  }
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(source.data, error);
  if (!std::filesystem::is_directory(status)) {
    return wrong(absl::StatusCode::kNotFound,
                 std::filesystem::exists(status) ? "a file" : "nothing there");
  }
  MLP_ASSIGN_OR_RETURN(const IdxFiles files, FindIdxFiles(source.data));
  return Read(source.data, files, /*classes=*/2, kMaxClasses, source);
}

}  // namespace mlp::data
