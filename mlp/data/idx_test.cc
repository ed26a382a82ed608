#include "mlp/data/idx.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>

namespace mlp::data {
namespace {

std::string Path(const std::string& name) { return testing::TempDir() + "/" + name; }

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<uint8_t> Bytes(size_t n) {
  std::vector<uint8_t> bytes(n);
  for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 256);
  return bytes;
}

TEST(IdxTest, WritesTheFormatByteForByte) {
  const std::string path = Path("bytes");
  ASSERT_TRUE(WriteIdx(path, std::vector<uint32_t>{1, 2, 3}, Bytes(6)).ok());
  EXPECT_EQ(ReadFile(path), std::string("\0\0\x08\x03\0\0\0\x01\0\0\0\x02\0\0\0\x03"
                                        "\0\x07\x0e\x15\x1c\x23",
                                        22));
}

TEST(IdxTest, ReadsWhatItWrote) {
  // The last one is larger than the blocks and the first memory of the reader.
  for (const std::vector<uint32_t>& dimensions :
       {std::vector<uint32_t>{1}, {300}, {2, 3}, {3, 5, 7}, {1, 1, 1, 1}, {4000, 28, 28}}) {
    const size_t size =
        std::accumulate(dimensions.begin(), dimensions.end(), size_t{1}, std::multiplies<size_t>());
    const std::vector<uint8_t> data = Bytes(size);
    for (const char* name : {"array", "array.gz"}) {
      const std::string path = Path(name);
      ASSERT_TRUE(WriteIdx(path, dimensions, data).ok());
      const absl::StatusOr<IdxArray> array = ReadIdx(path, dimensions.size());
      ASSERT_TRUE(array.ok()) << array.status();
      EXPECT_EQ(array->dimensions, dimensions);
      EXPECT_TRUE(std::equal(data.begin(), data.end(), array->data.begin(), array->data.end()));
      // Only the one that is named so is compressed.
      EXPECT_EQ(ReadFile(path).substr(0, 2) == "\x1f\x8b", path.ends_with(".gz"));
    }
  }
}

TEST(IdxTest, TellsGzipByItsContent) {
  ASSERT_TRUE(WriteIdx(Path("a.gz"), std::vector<uint32_t>{4}, Bytes(4)).ok());
  std::filesystem::rename(Path("a.gz"), Path("a.plain"));
  EXPECT_TRUE(ReadIdx(Path("a.plain"), 1).ok());
  ASSERT_TRUE(WriteIdx(Path("b"), std::vector<uint32_t>{4}, Bytes(4)).ok());
  std::filesystem::rename(Path("b"), Path("b.gz"));
  EXPECT_TRUE(ReadIdx(Path("b.gz"), 1).ok());
}

TEST(IdxTest, JoinsGzipMembers) {
  // A labels file whose header and data were compressed apart, as `cat a.gz b.gz` gives it. The
  // second half is made as an IDX file of its own and its header cut off by way of gzip -dc.
  const std::vector<uint8_t> data = Bytes(100000);
  ASSERT_TRUE(WriteIdx(Path("whole"), std::vector<uint32_t>{100000}, data).ok());
  const std::string whole = Path("whole");
  const std::string command = "head -c 5000 " + whole + " | gzip > " + whole +
                              ".gz && tail -c +5001 " + whole + " | gzip >> " + whole + ".gz";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const absl::StatusOr<IdxArray> array = ReadIdx(whole + ".gz", 1);
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_TRUE(std::equal(data.begin(), data.end(), array->data.begin(), array->data.end()));
}

TEST(IdxTest, ReplacesWholeFilesAndLeavesNothingBeside) {
  const std::string directory = Path("replace");
  std::filesystem::create_directory(directory);
  const std::string path = directory + "/labels";
  ASSERT_TRUE(WriteIdx(path, std::vector<uint32_t>{3}, Bytes(3)).ok());
  ASSERT_TRUE(WriteIdx(path, std::vector<uint32_t>{5}, Bytes(5)).ok());
  EXPECT_EQ(ReadIdx(path, 1)->data.size(), 5u);
  const auto entries = std::filesystem::directory_iterator(directory);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  const mode_t mask = umask(022);
  umask(mask);
  EXPECT_EQ(info.st_mode & 0777, 0666 & ~mask);
}

TEST(IdxTest, SaysWhyItCannotWrite) {
  const absl::Status status =
      WriteIdx(Path("no/such/folder/labels"), std::vector<uint32_t>{3}, Bytes(3));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  // A folder in the file's place: nothing is left of the attempt.
  const std::string directory = Path("occupied");
  std::filesystem::create_directories(directory + "/labels/in_the_way");
  EXPECT_FALSE(WriteIdx(directory + "/labels", std::vector<uint32_t>{3}, Bytes(3)).ok());
  const auto entries = std::filesystem::directory_iterator(directory);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(ReadExamplesTest, JoinsImagesAndLabels) {
  ASSERT_TRUE(WriteIdx(Path("i.gz"), std::vector<uint32_t>{3, 2, 4}, Bytes(24)).ok());
  ASSERT_TRUE(WriteIdx(Path("l"), std::vector<uint32_t>{3}, std::vector<uint8_t>{9, 0, 4}).ok());
  const absl::StatusOr<LabelledImages> read = ReadExamples(Path("i.gz"), Path("l"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rows, 2u);
  EXPECT_EQ(read->cols, 4u);
  EXPECT_EQ(read->examples.size, 3u);
  EXPECT_EQ(read->examples.features, 8u);
  EXPECT_EQ(read->examples.labels[2], 4);
  EXPECT_EQ(read->examples.pixels[23], 23 * 7);
  EXPECT_FALSE(ReadExamples(Path("i.gz"), Path("l"), /*classes=*/9).ok());
}

}  // namespace
}  // namespace mlp::data
