#include "mlp/record/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "mlp/io/atomic_file.h"
#include "mlp/record/testing.h"

namespace mlp::record {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class WriterTest : public testing::Test {
 protected:
  void SetUp() override {
    out_ = (fs::path(testing::TempDir()) /
            testing::UnitTest::GetInstance()->current_test_info()->name())
               .string();
    fs::remove_all(out_);
  }

  RecordWriter Open(bool resume = false) { return OpenWith(TestHead("speed"), resume); }
  RecordWriter OpenWith(const Record& head, bool resume) {
    if (resume) {
      auto resumed = RecordWriter::Resume(out_, head);
      EXPECT_TRUE(resumed.ok()) << resumed.status();
      if (resumed->has_value()) return **std::move(resumed);
    }
    auto writer = RecordWriter::Open(out_, head);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(out_ + "/raw/speed")) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  // As a kill would leave it: some runs in the partial file, then `torn`.
  void Interrupt(int runs, const std::string& torn = "") {
    RecordWriter writer = Open();
    for (int i = 0; i < runs; ++i) ASSERT_TRUE(writer.Append(TestRun("a", i, 100 + i)).ok());
    std::ofstream(out_ + "/raw/speed/" + writer.record().id + ".partial.jsonl", std::ios::app)
        << torn;
  }

  std::string out_;
};

constexpr char kId[] = "20260131T120000Z-0123456-0a1b2c3d";

TEST_F(WriterTest, WritesARecordThatReadsBack) {
  RecordWriter writer = Open();
  EXPECT_EQ(writer.record().id, kId);
  ASSERT_TRUE(writer.Append(TestRun("a", 0, 100)).ok());
  EXPECT_THAT(Files(), ElementsAre(std::string(kId) + ".partial.jsonl"));
  ASSERT_TRUE(writer.Append(TestRun("b", 0, 200)).ok());
  writer.AddNote("a note");
  writer.AddNote("a note");
  const auto path = writer.Commit();
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*path, out_ + "/raw/speed/" + kId + ".json");
  EXPECT_THAT(Files(), ElementsAre(std::string(kId) + ".json"));

  const auto read = ReadRecord(*path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->id, kId);
  EXPECT_EQ(read->notes, std::vector<std::string>{"a note"});
  ASSERT_EQ(read->runs.size(), 2u);
  EXPECT_EQ(Dump(ToJson(read->runs[1])), Dump(ToJson(TestRun("b", 0, 200))));
  // One line a run keeps diffs small.
  EXPECT_THAT(*io::ReadFile(*path, 1 << 20), HasSubstr("\n  {\"variant\":\"b\""));
}

TEST_F(WriterTest, ARecordWithoutRunsReadsBack) {
  const auto path = Open().Commit();
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_TRUE(ReadRecord(*path)->runs.empty());
}

TEST_F(WriterTest, NothingIsLeftOfARecordThatNeverHadRuns) {
  { const RecordWriter given_up = Open(); }
  EXPECT_TRUE(Files().empty());
  const RecordWriter moved = Open();
  EXPECT_EQ(Files().size(), 1u) << "but while it is under way";
}

TEST_F(WriterTest, NeverOverwrites) {
  const std::string first = *Open().Commit();
  RecordWriter second = Open();
  RecordWriter third = Open();
  EXPECT_EQ(second.record().id, std::string(kId) + "-2");
  EXPECT_EQ(third.record().id, std::string(kId) + "-3");
  EXPECT_TRUE(third.Commit().ok());
  EXPECT_TRUE(second.Commit().ok());
  EXPECT_EQ(Files().size(), 3u);
}

TEST_F(WriterTest, CommitFailsWhereTheNameWasTakenMeanwhile) {
  RecordWriter writer = Open();
  ASSERT_TRUE(writer.Append(TestRun("a", 0, 100)).ok());
  std::ofstream(out_ + "/raw/speed/" + kId + ".json") << "another";
  EXPECT_EQ(writer.Commit().status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(*io::ReadFile(out_ + "/raw/speed/" + kId + ".json", 100), "another");
  EXPECT_EQ(Files().size(), 2u) << "the runs are still in the partial file";
}

TEST_F(WriterTest, RefusesWhatTheSchemaRefuses) {
  EXPECT_FALSE(RecordWriter::Open(out_, TestHead("Bad name")).ok());
  EXPECT_FALSE(fs::exists(out_));
  RecordWriter writer = Open();
  RunRecord nameless = TestRun("", 0, 1);
  EXPECT_EQ(writer.Append(nameless).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(writer.Append(TestRun("a", 0, 1)).ok());
  const absl::Status again = writer.Append(TestRun("a", 0, 1));
  EXPECT_THAT(std::string(again.message()), HasSubstr("repetition 0 of \"a\" is there already"));
  EXPECT_EQ(writer.finished().size(), 1u);
}

TEST_F(WriterTest, ALongMessageIsCut) {
  RecordWriter writer = Open();
  RunRecord run = TestRun("a", 0, 1);
  run.status = RunStatus::kFailed;
  run.message = std::string(100000, 'x');
  EXPECT_TRUE(writer.Append(run).ok());
  EXPECT_EQ(writer.finished()[0].message.size(), 2000u);
}

TEST_F(WriterTest, ResumesAfterAKill) {
  Interrupt(3);
  RecordWriter writer = Open(/*resume=*/true);
  EXPECT_EQ(writer.resumed(), 3u);
  EXPECT_EQ(writer.record().id, kId);
  EXPECT_TRUE(writer.IsFinished(TestRun("a", 2, 0)));
  EXPECT_FALSE(writer.IsFinished(TestRun("a", 3, 0)));
  EXPECT_FALSE(writer.IsFinished(TestRun("b", 2, 0)));
  ASSERT_TRUE(writer.Append(TestRun("a", 3, 103)).ok());
  const std::string path = *writer.Commit();
  const auto read = ReadRecord(path);
  ASSERT_EQ(read->runs.size(), 4u);
  EXPECT_EQ(read->runs[3].timings.at("samples_per_s")[0], 103);
  EXPECT_THAT(Files(), ElementsAre(std::string(kId) + ".json"));
}

TEST_F(WriterTest, ATornLastLineIsDropped) {
  Interrupt(2, "{\"variant\": \"a\", \"para");
  RecordWriter writer = Open(/*resume=*/true);
  EXPECT_EQ(writer.resumed(), 2u);
  ASSERT_TRUE(writer.Append(TestRun("a", 2, 102)).ok());
  // Killed and resumed once more: the torn line has left nothing behind.
  writer = Open();
  RecordWriter again = Open(/*resume=*/true);
  EXPECT_EQ(again.resumed(), 3u);
}

TEST_F(WriterTest, SaysWhatAResumedRecordCannotKnow) {
  const char note[] = "resumed: steal_pct is that of the last session alone";
  Interrupt(1);
  EXPECT_THAT(Open(/*resume=*/true).record().notes, testing::Contains(note));
  EXPECT_THAT(Open(/*resume=*/false).record().notes, testing::Not(testing::Contains(note)));
}

TEST_F(WriterTest, AFullDiskLeavesWholeLines) {
  RecordWriter writer = Open();
  ASSERT_TRUE(writer.Append(TestRun("a", 0, 100)).ok());
  const std::string path = out_ + "/raw/speed/" + writer.record().id + ".partial.jsonl";
  const size_t size = fs::file_size(path);
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = size + 10;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status status = writer.Append(TestRun("a", 1, 101));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(fs::file_size(path), size);
  EXPECT_EQ(writer.finished().size(), 1u);
  ASSERT_TRUE(writer.Append(TestRun("a", 1, 101)).ok());
  writer = Open();
  EXPECT_EQ(Open(/*resume=*/true).resumed(), 2u);
}

TEST_F(WriterTest, DamageInTheMiddleIsAnError) {
  Interrupt(1, "{]\n{\"variant\": ");
  const auto writer = RecordWriter::Resume(out_, TestHead("speed"));
  EXPECT_EQ(writer.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(writer.status().message()), HasSubstr("partial.jsonl: line 3: "));
  EXPECT_THAT(std::string(writer.status().message()), HasSubstr("without --resume"));
}

TEST_F(WriterTest, ADamagedHeadIsAnError) {
  Interrupt(2);
  const std::string path = out_ + "/raw/speed/" + std::string(kId) + ".partial.jsonl";
  std::fstream(path, std::ios::in | std::ios::out) << 'x';  // instead of the brace
  const auto writer = RecordWriter::Resume(out_, TestHead("speed"));
  EXPECT_EQ(writer.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(writer.status().message()), HasSubstr("partial.jsonl: line 1: "));
  EXPECT_THAT(std::string(writer.status().message()), HasSubstr("without --resume"));
}

TEST_F(WriterTest, ATornHeadIsNoStart) {
  fs::create_directories(out_ + "/raw/speed");
  std::ofstream(out_ + "/raw/speed/" + std::string(kId) + ".partial.jsonl") << "{\"schema_ver";
  RecordWriter writer = Open(/*resume=*/true);
  EXPECT_EQ(writer.resumed(), 0u);
  EXPECT_EQ(writer.record().id, std::string(kId) + "-2");
}

TEST_F(WriterTest, WhatAHeadLeavesOpenIsThePartialFiles) {
  Record chosen = TestHead("speed");
  chosen.config["work"] = 0.25;
  {
    RecordWriter writer = OpenWith(chosen, /*resume=*/false);
    ASSERT_TRUE(writer.Append(TestRun("a", 0, 100)).ok());
  }
  {
    const RecordWriter open = Open(/*resume=*/true);
    EXPECT_EQ(open.resumed(), 1u);
    EXPECT_EQ(open.record().config.at("work"), Scalar(0.25));
  }
  Record asked = chosen;
  EXPECT_EQ(OpenWith(asked, /*resume=*/true).resumed(), 1u);
  asked.config["work"] = 0.5;
  EXPECT_EQ(OpenWith(asked, /*resume=*/true).resumed(), 0u) << "asked for, not chosen";
}

TEST_F(WriterTest, ResumesOnlyTheSameWork) {
  Interrupt(2);
  for (const auto change : std::vector<void (*)(Record&)>{
           [](Record& head) { head.config["epochs"] = 6.0; },
           [](Record& head) { head.commit = std::string(40, 'f'); },
           [](Record& head) { head.dirty = true; }, [](Record& head) { head.build.mode = "dbg"; },
           [](Record& head) { head.machine.id = "ffffffff"; }}) {
    Record head = TestHead("speed");
    change(head);
    EXPECT_EQ(OpenWith(head, /*resume=*/true).resumed(), 0u);
  }
  EXPECT_EQ(Open(/*resume=*/false).resumed(), 0u);
  EXPECT_EQ(OpenWith(TestHead("speed"), /*resume=*/true).resumed(), 2u) << "the newest is empty";
}

TEST_F(WriterTest, AFileInUseIsNotTakenUp) {
  RecordWriter first = Open();
  ASSERT_TRUE(first.Append(TestRun("a", 0, 1)).ok());
  RecordWriter second = Open(/*resume=*/true);
  EXPECT_EQ(second.resumed(), 0u);
  EXPECT_NE(second.record().id, first.record().id);
}

TEST_F(WriterTest, PresentationIsTodays) {
  Interrupt(1);
  Record head = TestHead("speed");
  head.presentation.all.baseline = "a";
  RecordWriter writer = OpenWith(head, /*resume=*/true);
  EXPECT_EQ(writer.resumed(), 1u);
  EXPECT_EQ(writer.record().presentation.all.baseline, "a");
}

}  // namespace
}  // namespace mlp::record
