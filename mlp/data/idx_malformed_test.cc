// What the IDX reader says to files that are not what they should be: a corpus of named cases, and
// thousands of random changes to a good file.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "mlp/base/rng.h"
#include "mlp/data/idx.h"

namespace mlp::data {
namespace {

constexpr char kCorpus[] = "mlp/data/malformed_idx/";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  ASSERT_TRUE(file.flush()) << path;
}

absl::Status Call(absl::string_view reader, const std::vector<std::string>& files) {
  if (reader == "labels") return ReadIdx(files.at(0), 1).status();
  const absl::Status status = reader == "images" ? ReadIdx(files.at(0), 3).status()
                                                 : ReadExamples(files.at(0), files.at(1)).status();
  // The same of pixels that are packed as they are read.
  const std::string labels =
      reader == "images" ? absl::StrCat(kCorpus, "good_labels") : files.at(1);
  EXPECT_EQ(ReadExamples(files.at(0), labels, /*classes=*/10, /*pack_below=*/2).status(), status);
  return status;
}

TEST(IdxMalformedTest, EveryFileOfTheCorpusIsRefusedWithItsReason) {
  size_t cases = 0;
  for (const absl::string_view line :
       absl::StrSplit(ReadFile(absl::StrCat(kCorpus, "manifest.tsv")), '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    ASSERT_EQ(fields.size(), 5u) << line;
    std::vector<std::string> files;
    for (const absl::string_view name : absl::StrSplit(fields[1], ',')) {
      files.push_back(absl::StrCat(kCorpus, name));
    }
    const absl::Status status = Call(fields[0], files);
    const std::string message(status.message());
    EXPECT_EQ(absl::StatusCodeToString(status.code()), fields[2]) << line << "\n" << message;
    EXPECT_TRUE(absl::StartsWith(message, absl::StrCat(kCorpus, fields[3], ": "))) << line << "\n"
                                                                                   << message;
    EXPECT_TRUE(absl::StrContains(message, fields[4])) << line << "\n" << message;
    // Place, expectation, finding and remedy.
    EXPECT_TRUE(absl::StrContains(message, ": expected ")) << message;
    EXPECT_TRUE(absl::StrContains(message, ", found ")) << message;
    EXPECT_TRUE(absl::StrContains(message, "; ")) << message;
    ++cases;
  }
  EXPECT_GE(cases, 60u);
}

TEST(IdxMalformedTest, TheGoodFilesOfTheCorpusAreRead) {
  const auto read =
      ReadExamples(absl::StrCat(kCorpus, "good_images"), absl::StrCat(kCorpus, "good_labels"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->examples.size, 3u);
}

TEST(IdxMalformedTest, WhatIsNoRegularFileIsRefused) {
  const absl::Status directory = ReadIdx(testing::TempDir(), 3).status();
  EXPECT_EQ(directory.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(directory.message(), "found a directory")) << directory;

  const std::string pipe = testing::TempDir() + "/pipe";
  unlink(pipe.c_str());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const absl::Status status = ReadIdx(pipe, 3).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;

  EXPECT_EQ(ReadIdx("", 3).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadIdx("/dev/null", 3).status().code(), absl::StatusCode::kFailedPrecondition);
}

// One random change. Returns what it was, for a failure's message.
std::string Mutate(Stream& stream, std::string& content) {
  const uint32_t size = static_cast<uint32_t>(content.size());
  const uint32_t at = size == 0 ? 0 : stream.Below(size);
  // Headers are where most is to be got wrong.
  const uint32_t place = stream.Below(2) == 0 ? at : std::min(at, stream.Below(32));
  const char byte = static_cast<char>(stream.Below(256));
  switch (stream.Below(5)) {
    case 0:
      if (size > 0) content[place] = byte;
      return absl::StrCat("set ", place, " to ", static_cast<uint8_t>(byte));
    case 1:
      if (size > 0) content[place] ^= static_cast<char>(1 << stream.Below(8));
      return absl::StrCat("flip a bit of ", place);
    case 2:
      content.resize(at);
      return absl::StrCat("cut at ", at);
    case 3:
      content.insert(place, 1 + stream.Below(16), byte);
      return absl::StrCat("insert at ", place);
    default:
      content.erase(place, 1 + stream.Below(16));
      return absl::StrCat("erase at ", place);
  }
}

TEST(IdxMalformedTest, RandomChangesGiveAnArrayOrAReason) {
  std::vector<uint8_t> pixels(3 * 5 * 7);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i);
  const std::vector<uint32_t> dimensions = {3, 5, 7};
  int read_well = 0;
  int refused = 0;
  for (const char* name : {"mutated", "mutated.gz"}) {
    const std::string path = absl::StrCat(testing::TempDir(), "/", name);
    ASSERT_TRUE(WriteIdx(path, dimensions, pixels).ok());
    const std::string good = ReadFile(path);
    for (uint32_t round = 0; round < 1000; ++round) {
      Stream stream(1, Purpose::kTest, 0, round);
      std::string content = good;
      std::string what;
      for (uint32_t changes = 1 + stream.Below(3); changes > 0; --changes) {
        absl::StrAppend(&what, Mutate(stream, content), "; ");
      }
      WriteFile(path, content);
      const absl::StatusOr<IdxArray> array = ReadIdx(path, 3);
      if (array.ok()) {
        ++read_well;
        ASSERT_EQ(array->dimensions.size(), 3u) << what;
        uint64_t product = 1;
        for (const uint32_t d : array->dimensions) product *= d;
        ASSERT_EQ(product, array->data.size()) << what;
        // A plain file is as long as it says; gzip's checksum lets no changed data through.
        const bool plain = content[0] == 0;
        ASSERT_TRUE(plain ? content.size() == 16 + product
                          : std::equal(pixels.begin(), pixels.end(), array->data.begin(),
                                       array->data.end()))
            << what;
      } else {
        ++refused;
        ASSERT_TRUE(absl::StartsWith(array.status().message(), path)) << array.status() << what;
        ASSERT_TRUE(absl::StrContains(array.status().message(), ": expected "))
            << array.status() << what;
      }
    }
  }
  EXPECT_GT(read_well, 50);
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace mlp::data
