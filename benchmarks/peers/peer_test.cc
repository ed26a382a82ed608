#include "benchmarks/peers/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "benchmarks/peers/job_files.h"
#include "mlp/data/digits.h"
#include "mlp/data/load.h"

namespace mlp::peers {
namespace {

using testing::HasSubstr;

constexpr size_t kTrain = 70;
constexpr size_t kTest = 300;

// Notes which batches it was given; always says class 3.
class Recorder final : public BatchPeer {
 public:
  Recorder(const Job& job, std::vector<std::vector<uint32_t>>* batches)
      : BatchPeer(job.batch_size()), classes_(job.classes()), batches_(batches) {}
  void Predict(const uint8_t*, size_t rows, float* scores) override {
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < classes_; ++j) scores[i * classes_ + j] = j == 3 ? 1 : 0;
    }
  }

 private:
  Sum Step(std::span<const uint32_t> rows) override {
    batches_->emplace_back(rows.begin(), rows.end());
    return {static_cast<double>(rows.size()) * 0.5, 1, rows.size()};
  }
  const size_t classes_;
  std::vector<std::vector<uint32_t>>* const batches_;
};

class PeerTest : public testing::Test {
 protected:
  PeerTest() {
    dataset_ = *data::Load({.data = "digits", .digits_train = kTrain, .digits_test = kTest});
    files_.emplace(*JobFiles::Write(dataset_, *model::ParseModelSpec("784-5-10"), 7, 2));
    request_ = {.data = files_->directory(),
                .model = "784-5-10",
                .batch_size = 32,
                .threads = 1,
                .seed = 7,
                .order = files_->order(),
                .weights = files_->weights()};
  }

  // The answers to requests, one a line.
  std::vector<Json> Answers(const std::vector<Json>& requests, bool has_logits = true) {
    std::string text;
    for (const Json& request : requests) text += record::Dump(request) + "\n";
    return AnswersTo(text, has_logits);
  }
  std::vector<Json> AnswersTo(const std::string& text, bool has_logits = true) {
    std::istringstream in(text);
    std::ostringstream out;
    const MakePeer make = [this](const Job& job) {
      return std::make_unique<Recorder>(job, &batches_);
    };
    Serve({.name = "recorder", .versions = {{"r", "1"}}, .has_logits = has_logits}, make, in, out);
    std::vector<Json> answers;
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) answers.push_back(Json::parse(line));
    return answers;
  }
  std::string InitError(const InitRequest& request) {
    const std::vector<Json> answers = Answers({ToJson(request)});
    EXPECT_EQ(answers.at(0)["ok"], false);
    return answers.at(0)["error"].get<std::string>();
  }

  data::Dataset dataset_;
  std::optional<JobFiles> files_;
  InitRequest request_;
  std::vector<std::vector<uint32_t>> batches_;
};

TEST_F(PeerTest, TrainsInTheGivenOrderTheLastBatchIncluded) {
  const std::vector<Json> answers =
      Answers({ToJson(request_), {{"op", "epoch"}}, {{"op", "epoch"}}, {{"op", "epoch"}}});
  ASSERT_EQ(answers.size(), 4u);
  const auto about = ParseInitAnswer(answers[0]);
  ASSERT_TRUE(about.ok()) << about.status() << answers[0];
  EXPECT_EQ(about->name, "recorder");
  EXPECT_EQ(about->uses.threads, 1);
  EXPECT_TRUE(about->uses.ftz);

  const auto job = ReadJob(request_);
  ASSERT_TRUE(job.ok()) << job.status();
  std::vector<uint32_t> seen;
  std::vector<size_t> sizes;
  for (const auto& batch : batches_) {
    seen.insert(seen.end(), batch.begin(), batch.end());
    sizes.push_back(batch.size());
  }
  EXPECT_THAT(sizes, testing::ElementsAre(32, 32, 6, 32, 32, 6));
  EXPECT_EQ(seen, job->order);
  for (size_t epoch : {0, 1}) {
    EXPECT_THAT(
        std::vector<uint32_t>(seen.begin() + epoch * kTrain, seen.begin() + (epoch + 1) * kTrain),
        testing::WhenSorted(testing::ElementsAreArray([] {
          std::vector<uint32_t> rows(kTrain);
          for (uint32_t i = 0; i < kTrain; ++i) rows[i] = i;
          return rows;
        }())));
  }

  const auto epoch = ParseEpochAnswer(answers[1]);
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_DOUBLE_EQ(*epoch->loss, 0.5);
  EXPECT_DOUBLE_EQ(*epoch->accuracy, 3.0 / kTrain);
  EXPECT_GT(epoch->rss_bytes, 1u << 20);
  EXPECT_THAT(answers[3]["error"].get<std::string>(), HasSubstr("more than the 2 epochs"));
}

TEST_F(PeerTest, EvaluatesOnTheTestPart) {
  size_t threes = 0;
  for (const uint8_t label : dataset_.test.labels) threes += label == 3;
  const std::vector<Json> answers = Answers({ToJson(request_), {{"op", "evaluate"}}});
  const auto answer = ParseEvaluateAnswer(answers.at(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  const double part = static_cast<double>(threes) / kTest;
  EXPECT_DOUBLE_EQ(*answer->accuracy, part);
  const double total = std::exp(1.0) + 9;
  EXPECT_NEAR(*answer->loss, std::log(total) - part, 1e-6);
  EXPECT_TRUE(Answers({ToJson(request_), {{"op", "evaluate"}}}, false).at(1)["loss"].is_null());
}

TEST_F(PeerTest, PredictsWithinBounds) {
  const auto predict = [](size_t rows) {
    return Json{{"op", "predict"}, {"rows", rows}, {"repetitions", 3}};
  };
  const std::vector<Json> answers =
      Answers({ToJson(request_), predict(1), predict(256), predict(257)});
  EXPECT_TRUE(ParsePredictAnswer(answers.at(1)).ok());
  EXPECT_TRUE(ParsePredictAnswer(answers.at(2)).ok());
  EXPECT_THAT(answers.at(3)["error"].get<std::string>(), HasSubstr("at most 256, found 257"));
}

TEST_F(PeerTest, BadRequestsGetAnErrorAndTheLoopGoesOn) {
  const std::vector<Json> answers =
      AnswersTo("hello\n{\"op\":\"dance\"}\n{\"op\":\"epoch\"}\n[]\n" +
                record::Dump(ToJson(request_)) + "\n{\"op\":\"quit\"}\n{\"op\":\"epoch\"}\n");
  ASSERT_EQ(answers.size(), 5u) << "nothing after quit";
  for (int i : {0, 1, 2, 3}) EXPECT_EQ(answers[i]["ok"], false);
  EXPECT_THAT(answers[1]["error"].get<std::string>(), HasSubstr("found \"dance\""));
  EXPECT_THAT(answers[2]["error"].get<std::string>(), HasSubstr("expected init"));
  EXPECT_EQ(answers[4]["ok"], true);
}

TEST_F(PeerTest, InitNamesTheFileThatIsWrong) {
  InitRequest request = request_;
  request.order = "/no/such/order";
  EXPECT_THAT(InitError(request), HasSubstr("/no/such/order"));
  request = request_;
  request.weights = request.order;
  EXPECT_THAT(InitError(request), HasSubstr("order.u32: expected"));
  request = request_;
  request.model = "784-5-tanh-10";
  EXPECT_THAT(InitError(request), HasSubstr("expected relu"));
  request.model = "783-5-10";
  EXPECT_THAT(InitError(request), HasSubstr("expected 784-...-10"));
  request = request_;
  request.data = testing::TempDir() + "/nowhere";
  EXPECT_THAT(InitError(request), HasSubstr("nowhere"));

  const std::string path = testing::TempDir() + "/bad_order";
  const std::vector<uint32_t> rows(kTrain, kTrain);
  std::ofstream(path).write(reinterpret_cast<const char*>(rows.data()), kTrain * sizeof(uint32_t));
  request = request_;
  request.order = path;
  EXPECT_THAT(InitError(request), HasSubstr("expected rows below 70, found 70"));
}

TEST(SoftmaxCrossEntropy, ByHand) {
  const std::vector<float> logits = {0, 0, std::log(2.0f), 1000};
  const std::vector<uint8_t> labels = {0, 0};
  const Sum sum = SoftmaxCrossEntropy(logits, labels);
  EXPECT_EQ(sum.samples, 2u);
  EXPECT_EQ(sum.hits, 1u);  // The first of equals.
  EXPECT_NEAR(sum.loss, std::log(2.0) + 1000 - std::log(2.0), 1e-4);
}

}  // namespace
}  // namespace mlp::peers
