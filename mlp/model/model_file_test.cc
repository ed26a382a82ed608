#include "mlp/model/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/io/atomic_file.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/model/training_state.h"

namespace mlp::model {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class ModelFileTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) / "model_file_test";
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    info_.dataset = {"digits", std::string(64, 'a'), 2, 3, 4};
    info_.settings = {{"seed", "7"}, {"learning_rate", "0.001"}};
    info_.training = {.epochs_done = 2,
                      .steps_done = 5,
                      .loss_sum = 0.1 + 0.2,
                      .hits = 31,
                      .samples = 40,
                      .seconds = 1.0 / 3,
                      .optimizer_steps = 1234567890123,
                      .optimizer_states = {}};
    for (const float first : {0.5f, 1e-42f}) {  // A denormal is a number as well.
      info_.training.optimizer_states.emplace_back(model_.parameters().size());
      info_.training.optimizer_states.back()[0] = first;
    }
  }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  std::string Saved() const {
    EXPECT_TRUE(SaveModel(Path("model"), model_, info_).ok());
    return *io::ReadFile(Path("model"), 1 << 20);
  }
  absl::Status LoadBytes(absl::string_view bytes) const {
    std::ofstream(Path("bytes"), std::ios::binary) << bytes;
    return LoadModel(Path("bytes")).status();
  }
  // With the checksum that belongs to them.
  absl::Status LoadSealed(std::string bytes) const {
    const auto checksum = static_cast<uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size() - 4));
    std::memcpy(bytes.data() + bytes.size() - 4, &checksum, 4);
    return LoadBytes(bytes);
  }
  size_t FilesThere() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }

  fs::path directory_;
  Model model_{*ParseModelSpec("6-3-tanh-4"), 1};
  ModelInfo info_;
};

template <class T>
std::string With(std::string bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

std::string Replaced(std::string bytes, const std::string& from, const std::string& to) {
  EXPECT_EQ(from.size(), to.size());
  const size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return bytes.replace(at, from.size(), to);
}

std::vector<uint32_t> Bits(std::span<const float> numbers) {
  std::vector<uint32_t> bits(numbers.size());
  std::memcpy(bits.data(), numbers.data(), numbers.size_bytes());
  return bits;
}

TEST_F(ModelFileTest, RoundTripKeepsEveryBit) {
  Saved();
  const absl::StatusOr<SavedModel> loaded = LoadModel(Path("model"));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->model.spec(), model_.spec());
  EXPECT_EQ(Bits(loaded->model.parameters()), Bits(model_.parameters()));
  EXPECT_EQ(loaded->info.dataset, info_.dataset);
  EXPECT_EQ(loaded->info.settings, info_.settings);
  const TrainingState& found = loaded->info.training;
  const TrainingState& expected = info_.training;
  EXPECT_EQ(found.epochs_done, expected.epochs_done);
  EXPECT_EQ(found.steps_done, expected.steps_done);
  EXPECT_EQ(found.loss_sum, expected.loss_sum);
  EXPECT_EQ(found.hits, expected.hits);
  EXPECT_EQ(found.samples, expected.samples);
  EXPECT_EQ(found.seconds, expected.seconds);
  EXPECT_EQ(found.optimizer_steps, expected.optimizer_steps);
  ASSERT_EQ(found.optimizer_states.size(), 2u);
  for (size_t k = 0; k < 2; ++k) {
    EXPECT_EQ(Bits(found.optimizer_states[k].span()), Bits(expected.optimizer_states[k].span()));
  }
}

TEST_F(ModelFileTest, SavingWhatWasLoadedGivesTheSameBytes) {
  const std::string bytes = Saved();
  const absl::StatusOr<SavedModel> loaded = LoadModel(Path("model"));
  ASSERT_TRUE(SaveModel(Path("again"), loaded->model, loaded->info).ok());
  EXPECT_EQ(*io::ReadFile(Path("again"), 1 << 20), bytes);
}

TEST_F(ModelFileTest, WithoutOptimizerState) {
  info_.training.optimizer_states.clear();
  Saved();
  EXPECT_TRUE(LoadModel(Path("model"))->info.training.optimizer_states.empty());
}

TEST_F(ModelFileTest, EveryTruncationIsRefusedAndNamed) {
  const std::string bytes = Saved();
  for (size_t n = 0; n < bytes.size(); ++n) {
    const absl::Status status = LoadBytes(absl::string_view(bytes).substr(0, n));
    ASSERT_FALSE(status.ok()) << n;
    const std::string message(status.message());
    if (n == 0) {
      EXPECT_THAT(message, HasSubstr("byte 0: expected a model file, found an empty file; "));
    } else {
      EXPECT_THAT(message, HasSubstr(absl::StrCat("bytes: byte ", n, ": expected a file of ")));
    }
  }
}

TEST_F(ModelFileTest, EveryChangedByteIsRefused) {
  const std::string bytes = Saved();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      EXPECT_FALSE(LoadBytes(changed).ok()) << "byte " << i << " ^ " << flip;
    }
  }
}

TEST_F(ModelFileTest, TrailingBytes) {
  const std::string bytes = Saved();
  const absl::Status status = LoadBytes(bytes + "xy");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), absl::StrCat(Path("bytes"), ": byte ", bytes.size(),
                                           ": expected the end of the file, found 2 bytes more; "
                                           "copy the file again, or train again"));
}

TEST_F(ModelFileTest, WrongKindsOfFile) {
  EXPECT_EQ(LoadModel(Path("none")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(LoadModel(directory_.string()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(LoadModel("/dev/zero").status().code(), absl::StatusCode::kFailedPrecondition);
  for (const char* contents :
       {"x", "MLPx", "index,label\n0,1\n", "MLPMODEk and some more bytes."}) {
    const absl::Status status = LoadBytes(contents);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << contents;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("byte 0: expected \"MLPMODEL\", which begins a model file, found another "
                          "kind of file; name a file that `mlp train --out` wrote"));
  }
}

TEST_F(ModelFileTest, NewerVersion) {
  const absl::Status status = LoadSealed(With<uint32_t>(Saved(), 8, 3));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("byte 8: expected a format version up to 2, found 3; use the newer mlp"));
}

TEST_F(ModelFileTest, TheLossIsKept) {
  for (const char* text : {"6-3-1", "6-3-1-softmax", "6-3-4-linear", "6-3-4"}) {
    const Model model(*ParseModelSpec(text), 1);
    ASSERT_TRUE(SaveModel(Path("loss"), model, {}).ok());
    EXPECT_EQ(LoadModel(Path("loss"))->model.spec(), model.spec()) << text;
    // The first version knew softmax alone.
    const std::string bytes = *io::ReadFile(Path("loss"), 1 << 20);
    ASSERT_TRUE(LoadSealed(With<uint32_t>(bytes, 8, 1)).ok());
    EXPECT_EQ(LoadModel(Path("bytes"))->model.spec().loss, kernels::LossKind::kSoftmaxCrossEntropy);
  }
}

// Which this program does not save, but another one may have.
TEST_F(ModelFileTest, WeightsThatAreNoNumbersAreRefused) {
  const std::string bytes = Saved();
  const size_t parameters = model_.parameters().size();
  const size_t arrays = 1 + info_.training.optimizer_states.size();
  const size_t begin = bytes.size() - 4 - arrays * parameters * sizeof(float);
  for (const float weight :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    const absl::Status status = LoadSealed(With(bytes, begin + 7 * sizeof(float), weight));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(
        std::string(status.message()),
        HasSubstr(absl::StrCat("byte ", begin + 28, ": expected a finite weight, found ", weight)));
  }
  EXPECT_TRUE(LoadSealed(bytes).ok());
}

TEST_F(ModelFileTest, BadChecksum) {
  std::string bytes = Saved();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  const absl::Status status = LoadBytes(bytes);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("byte ", bytes.size() - 4, ": expected checksum 0x")));
}

TEST_F(ModelFileTest, AbsurdSizesAreRefusedBeforeMemoryIsTaken) {
  const std::string bytes = Saved();
  constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();
  EXPECT_THAT(std::string(LoadSealed(With<uint32_t>(bytes, 12, 0xffffffff)).message()),
              HasSubstr("byte 12: expected a header of at most"));
  for (const uint64_t n : {kHuge, kHuge / 4, kHuge / 4 + 1, uint64_t{1} << 40, uint64_t{1} << 62}) {
    EXPECT_THAT(std::string(LoadSealed(With<uint64_t>(bytes, 16, n)).message()),
                HasSubstr("byte 16: expected at most 1073741824 parameters"));
  }
  EXPECT_THAT(std::string(LoadSealed(With<uint32_t>(bytes, 24, 0xffffffff)).message()),
              HasSubstr("byte 24: expected at most 8 arrays of optimizer state"));
  // Within its bound, but the file is too short for it.
  EXPECT_THAT(std::string(LoadSealed(With<uint64_t>(bytes, 16, kMaxParameters)).message()),
              HasSubstr("expected a file of 1288"));
  EXPECT_EQ(LoadSealed(With<uint32_t>(bytes, 24, 3)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(LoadSealed(With<uint64_t>(bytes, 16, 0)).code(), absl::StatusCode::kDataLoss);
}

TEST_F(ModelFileTest, HeadersThatMakeNoSense) {
  const std::string bytes = Saved();
  const auto expect = [&](const std::string& from, const std::string& to, const std::string& text) {
    const absl::Status status = LoadSealed(Replaced(bytes, from, to));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << to;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
    EXPECT_THAT(std::string(status.message()), StartsWith(Path("bytes") + ": byte "));
  };
  expect("{\"dataset\":", "[\"dataset\":", "text in the header: expected a JSON object");
  expect("6-3-tanh-4", "6-3-tank-4", "model \"6-3-tank-4\"");
  // As many bytes, and memory of 4 GB that is not taken.
  expect("6-3-tanh-4", "9999-99999", "byte 16: expected 999990000 parameters for 9999-99999");
  expect("6-3-tanh-4", "6-3-tanh-5", "byte 16: expected 41 parameters for 6-3-tanh-5, found 37");
  expect("\"model\"", "\"medel\"", "model in the header: expected a string, found none");
  expect("\"rows\":2", "\"rows\":x", "text in the header");
  expect("\"rows\"", "\"raws\"", "dataset.rows in the header: expected a whole number");
  expect("\"hits\":31", "\"hits\":-1", "training.hits in the header: expected a whole number");
  expect("\"seed\":\"7\"", "\"seed\":777", "settings.seed in the header: expected a string");
  expect("\"training\"", "\"draining\"", "training in the header: expected an object");
  expect("\"loss_sum\"", "\"lass_sum\"", "training.loss_sum in the header: expected a number");
  expect("1234567890123", "null         ", "training.optimizer_steps in the header");
}

TEST_F(ModelFileTest, ReplacesOnlyModelFiles) {
  Saved();
  EXPECT_TRUE(SaveModel(Path("model"), model_, info_).ok());
  std::ofstream(Path("notes")) << "my notes";
  EXPECT_EQ(SaveModel(Path("notes"), model_, info_).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(*io::ReadFile(Path("notes"), 100), "my notes");
  EXPECT_TRUE(SaveModel(Path("notes"), model_, info_, /*force=*/true).ok());
  EXPECT_TRUE(LoadModel(Path("notes")).ok());
  EXPECT_EQ(FilesThere(), 2u);
}

TEST_F(ModelFileTest, FailureLeavesNothingBehind) {
  EXPECT_EQ(SaveModel(Path("none/model"), model_, info_).code(), absl::StatusCode::kNotFound);
  // No file can be created there, not even by root.
  EXPECT_FALSE(SaveModel("/proc/model", model_, info_).ok());
  EXPECT_EQ(FilesThere(), 0u);
}

TEST_F(ModelFileTest, ADivergedModelIsNotSaved) {
  const std::string before = Saved();
  model_.parameters()[5] = std::numeric_limits<float>::quiet_NaN();
  const absl::Status status = SaveModel(Path("model"), model_, info_);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("parameter 5: expected a finite number, found nan"));
  EXPECT_EQ(*io::ReadFile(Path("model"), 1 << 20), before);
}

}  // namespace
}  // namespace mlp::model
