#include "mlp/data/load.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "mlp/data/digits.h"
#include "mlp/data/idx.h"
#include "mlp/data/locate.h"

namespace mlp::data {
namespace {

namespace fs = std::filesystem;

// A directory of its own for each test.
class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ =
        testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(root_);
    fs::create_directories(root_);
    setenv("XDG_CACHE_HOME", (root_ + "/cache").c_str(), 1);
    unsetenv("MNIST_DIR");
  }

  // A dataset of 4 training and 2 test images of rows x 3 in a new directory. first_label tells
  // such datasets apart.
  std::string MakeFiles(const std::string& name, uint8_t first_label,
                        const std::string& joint = "-", const std::string& ending = "",
                        uint32_t test_rows = 2) {
    const std::string directory = root_ + "/" + name;
    fs::create_directories(directory);
    const auto path = [&](const char* stem, const char* type) {
      return directory + "/" + stem + joint + type + ending;
    };
    const std::vector<uint8_t> pixels(100, 50);
    const auto images = [&](const char* stem, uint32_t n, uint32_t rows) {
      EXPECT_TRUE(WriteIdx(path(stem, "idx3-ubyte"), std::vector<uint32_t>{n, rows, 3},
                           std::span(pixels).first(n * rows * 3))
                      .ok());
    };
    const auto labels = [&](const char* stem, const std::vector<uint8_t>& values) {
      EXPECT_TRUE(WriteIdx(path(stem, "idx1-ubyte"),
                           std::vector<uint32_t>{static_cast<uint32_t>(values.size())}, values)
                      .ok());
    };
    images("train-images", 4, 2);
    labels("train-labels", {first_label, 1, 2, 3});
    images("t10k-images", 2, test_rows);
    labels("t10k-labels", {8, 9});
    return directory;
  }

  std::string root_;
};

TEST_F(LoadTest, Digits) {
  const auto digits = Load({.data_seed = 5, .digits_train = 30, .digits_test = 10});
  ASSERT_TRUE(digits.ok()) << digits.status();
  EXPECT_EQ(digits->name, "digits");
  EXPECT_EQ(digits->rows * digits->cols, 784u);
  EXPECT_EQ(digits->classes, 10u);
  EXPECT_EQ(digits->train.size, 30u);
  EXPECT_EQ(digits->test.size, 10u);
  EXPECT_EQ(digits->sha256, MakeDigits(5, 30, 10).sha256);
}

TEST_F(LoadTest, SparsePixelsArePacked) {
  const auto load = [](const std::string& data, double pack_below) {
    auto dataset =
        Load({.data = data, .digits_train = 3000, .digits_test = 10, .pack_below = pack_below});
    EXPECT_TRUE(dataset.ok()) << dataset.status();
    return *std::move(dataset);
  };
  const Dataset digits = load("digits", 0);
  EXPECT_TRUE(digits.train.packed.empty());
  for (const double pack_below : {0.1, 0.5}) {
    const Dataset packed = load("digits", pack_below);
    EXPECT_EQ(packed.train.packed.size(), pack_below == 0.5 ? 3000u : 0u);
    EXPECT_EQ(packed.train.pixels.empty(), pack_below == 0.5);
    EXPECT_FALSE(packed.test.pixels.empty());
    const absl::StatusOr<Dataset> both = Load({.data = "digits",
                                               .digits_train = 3000,
                                               .digits_test = 10,
                                               .pack_below = pack_below,
                                               .pack_test_below = 0.5});
    ASSERT_TRUE(both.ok()) << both.status();
    EXPECT_EQ(both->test.packed.size(), 10u);
    EXPECT_TRUE(both->test.pixels.empty());
    EXPECT_EQ(both->sha256, digits.sha256);
    EXPECT_EQ(packed.sha256, digits.sha256);
  }
  // Of these no pixel is 0.
  const std::string dense = MakeFiles("dense", 7);
  EXPECT_TRUE(load(dense, 1).train.packed.empty());
  EXPECT_EQ(load(dense, 2).train.packed.size(), 4u);
  EXPECT_EQ(load(dense, 2).sha256, load(dense, 0).sha256);
}

TEST_F(LoadTest, ADirectoryInEitherSpellingPlainOrCompressed) {
  std::string sha256;
  for (const char* joint : {"-", "."}) {
    for (const char* ending : {"", ".gz"}) {
      const std::string directory = MakeFiles(std::string("d") + joint + ending, 7, joint, ending);
      const auto dataset = Load({.data = directory});
      ASSERT_TRUE(dataset.ok()) << dataset.status();
      EXPECT_EQ(dataset->name, directory);
      EXPECT_EQ(dataset->rows, 2u);
      EXPECT_EQ(dataset->cols, 3u);
      EXPECT_EQ(dataset->train.size, 4u);
      EXPECT_EQ(dataset->train.features, 6u);
      EXPECT_EQ(dataset->test.labels[1], 9);
      if (sha256.empty()) sha256 = dataset->sha256;
      EXPECT_EQ(dataset->sha256, sha256);
    }
  }
  EXPECT_EQ(sha256.size(), 64u);
  EXPECT_NE(Load({.data = MakeFiles("other", 6)})->sha256, sha256);
}

TEST_F(LoadTest, ADirectoryHasAsManyClassesAsItsLabels) {
  EXPECT_EQ(Load({.data = MakeFiles("ten", 7)})->classes, 10u);  // of the test part
  EXPECT_EQ(Load({.data = MakeFiles("most", 255)})->classes, 256u);
  // MNIST has ten, and a label beyond them is a mistake.
  const auto mnist = Load({.data = "mnist", .data_dir = MakeFiles("mnist", 10)});
  EXPECT_TRUE(absl::StrContains(mnist.status().message(), "expected a label below 10, found 10"))
      << mnist.status();
}

TEST_F(LoadTest, MnistIsLookedForInOrder) {
  const auto first_label = [&](const std::string& data_dir) {
    const auto dataset = Load({.data = "mnist", .data_dir = data_dir});
    EXPECT_TRUE(dataset.ok()) << dataset.status();
    return dataset.ok() ? dataset->train.labels[0] : -1;
  };
  MakeFiles("cache/mlp-lab/mnist", 0, "-", ".gz");
  EXPECT_EQ(first_label(""), 0);
  setenv("MNIST_DIR", MakeFiles("variable", 1).c_str(), 1);
  EXPECT_EQ(first_label(""), 1);
  EXPECT_EQ(first_label(MakeFiles("flag", 2)), 2);
  // A place without the files does not end the search.
  setenv("MNIST_DIR", (root_ + "/nowhere").c_str(), 1);
  EXPECT_EQ(first_label(""), 0);
  // But one that was asked for does.
  const absl::Status status = Load({.data = "mnist", .data_dir = root_ + "/nowhere"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StartsWith(status.message(), root_ + "/nowhere: directory: expected the four"))
      << status;
}

TEST_F(LoadTest, TheCacheLiesUnderHomeWithoutAnXdgVariable) {
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", root_.c_str(), 1);
  MakeFiles(".cache/mlp-lab/mnist", 4);
  const auto dataset = Load({.data = "mnist"});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->train.labels[0], 4);
}

TEST_F(LoadTest, WithoutMnistItSaysWhereItLookedAndWhatToDo) {
  setenv("MNIST_DIR", (root_ + "/variable").c_str(), 1);
  const absl::Status status = Load({.data = "mnist"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  for (const std::string& part :
       {root_ + "/variable", root_ + "/cache/mlp-lab/mnist",
        std::string("train-images-idx3-ubyte.gz"), std::string("train-labels-idx1-ubyte.gz"),
        std::string("t10k-images-idx3-ubyte.gz"), std::string("t10k-labels-idx1-ubyte.gz"),
        std::string("Y. LeCun, C. Cortes and C. Burges"), std::string("--data=digits")}) {
    EXPECT_TRUE(absl::StrContains(status.message(), part)) << part << " in " << status;
  }
  EXPECT_FALSE(absl::StrContains(status.message(), "\n"));
}

TEST_F(LoadTest, NamesMissingFiles) {
  const std::string directory = MakeFiles("part", 0);
  fs::remove(directory + "/t10k-labels-idx1-ubyte");
  const absl::Status status = Load({.data = directory}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(status.message(), "no t10k-labels-idx1-ubyte")) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "no train-labels")) << status;
}

TEST_F(LoadTest, RefusesWhatIsNoDataset) {
  std::ofstream(root_ + "/file") << "x";
  for (const std::string& data : {root_ + "/file", root_ + "/nothing", std::string("minst"),
                                  std::string(), std::string(100000, 'x')}) {
    const absl::Status status = Load({.data = data}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    EXPECT_TRUE(
        absl::StrContains(status.message(), "expected digits, circles, mnist, or a directory"))
        << status;
  }
}

TEST_F(LoadTest, WhoNeedsPixelsIsGivenAndOfferedNoOther) {
  for (const std::string data : {"circles", "minst"}) {
    const absl::Status status = Load({.data = data, .needs_pixels = true}).status();
    EXPECT_TRUE(absl::StrContains(
        status.message(), data + ": --data: expected digits, mnist, or a directory with four IDX"))
        << status;
  }
  EXPECT_TRUE(Load({.data = "circles"}).ok());
}

TEST_F(LoadTest, PartsMustAgreeInShape) {
  const absl::Status status = Load({.data = MakeFiles("shapes", 0, "-", "", 3)}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "t10k-images-idx3-ubyte: byte 8: expected"))
      << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "images of 2 x 3")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "found 3 x 3")) << status;
}

TEST_F(LoadTest, ABadFileInADirectoryIsNamed) {
  const std::string directory = MakeFiles("bad", 0);
  std::ofstream(directory + "/train-labels-idx1-ubyte") << "hello";
  const absl::Status status = Load({.data = directory}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StartsWith(status.message(), directory + "/train-labels-idx1-ubyte: byte 0"))
      << status;
}

TEST_F(LoadTest, TheUncompressedFileIsTakenFirst) {
  const std::string directory = MakeFiles("both", 5);
  MakeFiles("both", 6, "-", ".gz");
  EXPECT_EQ(FindIdxFiles(directory)->train_labels, directory + "/train-labels-idx1-ubyte");
}

}  // namespace
}  // namespace mlp::data
