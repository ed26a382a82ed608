// OpenCV's ANN_MLP: it has neither softmax cross-entropy nor Adam, nor batches, and shuffles by
// itself. The nearest it has to the job is its back-propagation: an update after each sample.
#include <algorithm>
#include <limits>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/ml.hpp>
#include <vector>

#include "absl/status/status.h"
#include "benchmarks/peers/loops.h"
#include "benchmarks/peers/peer.h"

namespace mlp::peers {
namespace {

using cv::ml::ANN_MLP;

class OpenCvPeer final : public Peer {
 public:
  explicit OpenCvPeer(const Job& job) : job_(job), net_(ANN_MLP::create()) {
    cv::setNumThreads(job.threads());
    const auto samples = static_cast<int>(job.train().size);
    cv::Mat x(samples, static_cast<int>(job.inputs()), CV_32F);
    ConvertPixels(job.train().pixels.data(), x.total(), x.ptr<float>());
    cv::Mat targets(samples, static_cast<int>(job.classes()), CV_32F, cv::Scalar(-1));
    for (int i = 0; i < samples; ++i) {
      targets.at<float>(i, job.train().labels[static_cast<size_t>(i)]) = 1;
    }
    data_ = cv::ml::TrainData::create(x, cv::ml::ROW_SAMPLE, targets);

    const std::vector<int> widths(job.widths.begin(), job.widths.end());
    net_->setLayerSizes(widths);
    net_->setActivationFunction(ANN_MLP::SIGMOID_SYM, 0, 0);
    net_->setTrainMethod(ANN_MLP::BACKPROP, /*weight scale=*/0.01, /*momentum=*/0.1);
    net_->setTermCriteria({cv::TermCriteria::MAX_ITER, /*epochs=*/1, 0});
  }

  absl::StatusOr<std::optional<Sum>> TrainEpoch(std::span<const uint32_t>) override {
    constexpr int kNoScaling = ANN_MLP::NO_INPUT_SCALE | ANN_MLP::NO_OUTPUT_SCALE;
    net_->train(data_, kNoScaling | (net_->isTrained() ? ANN_MLP::UPDATE_WEIGHTS : 0));
    return std::nullopt;
  }

  void Predict(const uint8_t* pixels, size_t rows, float* scores) override {
    cv::Mat x(static_cast<int>(rows), static_cast<int>(job_.inputs()), CV_32F);
    ConvertPixels(pixels, x.total(), x.ptr<float>());
    net_->predict(x, y_);
    std::copy_n(y_.ptr<float>(), rows * job_.classes(), scores);
  }

 private:
  const Job& job_;
  cv::Ptr<ANN_MLP> net_;
  cv::Ptr<cv::ml::TrainData> data_;
  cv::Mat y_;
};

}  // namespace
}  // namespace mlp::peers

int main() {
  return mlp::peers::Main(
      {.name = "opencv",
       .versions = {{"opencv", CV_VERSION}},
       .uses = {.order = false,
                .weights = false,
                .optimizer = "sgd",
                .loss = "mean_squared_error",
                .note = "an update after each sample, in double, tanh for relu"},
       .has_logits = false},
      [](const mlp::peers::Job& job) { return std::make_unique<mlp::peers::OpenCvPeer>(job); });
}
