#include "mlp/flags/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace mlp::flags {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// What a Progress writes to a stream that is no terminal.
std::string Drawn(ProgressMode mode, int updates) {
  char* buffer = nullptr;
  size_t size = 0;
  std::FILE* stream = open_memstream(&buffer, &size);
  {
    Progress progress("epoch 1/5", 100, mode, stream);
    for (int i = 1; i <= updates; ++i) progress.Update(i, "loss 0.5");
    progress.Finish();
    progress.Update(100);
  }
  std::fclose(stream);
  std::string text(buffer, size);
  std::free(buffer);
  return text;
}

TEST(ProgressTest, DrawsOnceForManyFastUpdatesAndClearsItself) {
  const std::string text = Drawn(ProgressMode::kAlways, 50);
  EXPECT_THAT(text, HasSubstr("epoch 1/5 ["));
  EXPECT_THAT(text, HasSubstr("loss 0.5"));
  EXPECT_THAT(text, EndsWith("\r\033[K"));
  // 50 updates take far less than the tenth of a second between two drawings; allow a slow machine.
  EXPECT_LT(std::count(text.begin(), text.end(), '\r'), 25);
}

TEST(ProgressTest, ClearMakesRoomAndTheNextUpdateDrawsAtOnce) {
  char* buffer = nullptr;
  size_t size = 0;
  std::FILE* stream = open_memstream(&buffer, &size);
  {
    Progress progress("x", 10, ProgressMode::kAlways, stream);
    progress.Clear();
    std::fflush(stream);
    EXPECT_EQ(std::string(buffer, size), "");
    progress.Update(1);
    progress.Clear();
    progress.Update(2);
  }
  std::fclose(stream);
  const std::string text(buffer, size);
  std::free(buffer);
  EXPECT_THAT(text, HasSubstr(" 10 %"));
  EXPECT_THAT(text, HasSubstr("\r\033[K\r\033[Kx ["));
  EXPECT_THAT(text, HasSubstr(" 20 %"));
}

TEST(ProgressTest, QuietWhereThereIsNoTerminal) {
  EXPECT_EQ(Drawn(ProgressMode::kAuto, 5), "");
  EXPECT_EQ(Drawn(ProgressMode::kNever, 5), "");
  EXPECT_EQ(Drawn(ProgressMode::kAlways, 0), "");
}

TEST(ProgressLineTest, ShowsPartRateAndTimeLeft) {
  EXPECT_EQ(ProgressLine("train", 25, 100, 5, "loss 0.1", 80),
            "train [######------------------]  25 %  5.0/s  0:15 left  loss 0.1");
  EXPECT_EQ(ProgressLine("train", 100, 100, 0.01, "", 80),
            "train [########################] 100 %  10k/s");
  EXPECT_THAT(ProgressLine("x", 1, 10000, 1, "", 80), HasSubstr("2:46:39 left"));
}

TEST(ProgressLineTest, WithoutTotalOrTime) {
  EXPECT_EQ(ProgressLine("read", 3, 0, 1, "", 80), "read 3  3.0/s");
  EXPECT_EQ(ProgressLine("read", 0, 10, 0, "", 80), "read [------------------------]   0 %");
}

TEST(ProgressLineTest, FitsTheTerminal) {
  EXPECT_EQ(ProgressLine("train", 25, 100, 5, "loss 0.1", 20).size(), 19u);
  EXPECT_EQ(ProgressLine("train", 25, 100, 5, "", 0), "");
  // The bar gives way to the numbers.
  EXPECT_EQ(ProgressLine("train", 25, 100, 5, "loss 0.1", 58),
            "train [###------------]  25 %  5.0/s  0:15 left  loss 0.1");
}

TEST(ProgressModeTest, ReadsItsNames) {
  EXPECT_EQ(ToProgressMode("auto"), ProgressMode::kAuto);
  EXPECT_EQ(ToProgressMode("always"), ProgressMode::kAlways);
  EXPECT_EQ(ToProgressMode("never"), ProgressMode::kNever);
}

}  // namespace
}  // namespace mlp::flags
