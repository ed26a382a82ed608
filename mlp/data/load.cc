#include "mlp/data/load.h"

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

constexpr size_t kClasses = 10;

absl::StatusOr<Dataset> Read(std::string name, const IdxFiles& files) {
  MLP_ASSIGN_OR_RETURN(LabelledImages train,
                       ReadExamples(files.train_images, files.train_labels, kClasses));
  MLP_ASSIGN_OR_RETURN(LabelledImages test,
                       ReadExamples(files.test_images, files.test_labels, kClasses));
  if (train.rows != test.rows || train.cols != test.cols) {
    return FileError(
        absl::StatusCode::kInvalidArgument, files.test_images, "byte 8",
        absl::StrCat("images of ", train.rows, " x ", train.cols, " as in ", files.train_images),
        absl::StrCat(test.rows, " x ", test.cols), "name files that belong together");
  }
  Dataset dataset{.name = std::move(name),
                  .rows = train.rows,
                  .cols = train.cols,
                  .classes = kClasses,
                  .train = std::move(train.examples),
                  .test = std::move(test.examples),
                  .sha256 = {}};
  dataset.sha256 = Sha256(dataset);
  return dataset;
}

}  // namespace

absl::StatusOr<Dataset> Load(const Source& source) {
  if (source.data == "digits") {
    return MakeDigits(source.data_seed, source.digits_train, source.digits_test);
  }
  if (source.data == "circles") return MakeCircles({.seed = source.data_seed});
  if (source.data == "mnist") {
    MLP_ASSIGN_OR_RETURN(const IdxFiles files, LocateMnist(source.data_dir));
    return Read(source.data, files);
  }
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(source.data, error);
  if (!std::filesystem::is_directory(status)) {
    return FileError(absl::StatusCode::kNotFound, source.data.empty() ? "\"\"" : source.data,
                     "--data", "digits, circles, mnist, or a directory with four IDX files",
                     std::filesystem::exists(status) ? "a file" : "nothing there",
                     "choose one of these");
  }
  MLP_ASSIGN_OR_RETURN(const IdxFiles files, FindIdxFiles(source.data));
  return Read(source.data, files);
}

}  // namespace mlp::data
