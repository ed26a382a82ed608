// FANN: it has neither softmax cross-entropy nor Adam, nor batches of a given size, nor ReLU. The
// nearest it has to the job is its incremental training: an update after each sample.
#include <floatfann.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "benchmarks/peers/loops.h"
#include "benchmarks/peers/peer.h"

namespace mlp::peers {
namespace {

constexpr float kLearningRate = 0.05f;  // of its plain gradient descent; 0.001 learns nothing

class FannPeer final : public Peer {
 public:
  explicit FannPeer(const Job& job) : job_(job), x_(job.inputs()), target_(job.classes()) {
    const std::vector<unsigned> widths(job.widths.begin(), job.widths.end());
    net_.reset(fann_create_standard_array(static_cast<unsigned>(widths.size()), widths.data()));
    fann_set_activation_function_hidden(net_.get(), FANN_SIGMOID_SYMMETRIC);
    fann_set_activation_function_output(net_.get(), FANN_SIGMOID);
    fann_set_training_algorithm(net_.get(), FANN_TRAIN_INCREMENTAL);
    fann_set_learning_rate(net_.get(), kLearningRate);
  }

  absl::StatusOr<std::optional<Sum>> TrainEpoch(std::span<const uint32_t> order) override {
    // Its mean squared error is not the job's loss.
    Sum sum = {.loss = std::numeric_limits<double>::quiet_NaN(), .samples = order.size()};
    for (const uint32_t row : order) {
      ConvertPixels(job_.train().pixels.data() + row * job_.inputs(), job_.inputs(), x_.data());
      const uint8_t label = job_.train().labels[row];
      target_[label] = 1;
      fann_train(net_.get(), x_.data(), target_.data());
      target_[label] = 0;
      const float* const output = net_->output;
      sum.hits += std::max_element(output, output + job_.classes()) - output == label;
    }
    return sum;
  }

  void Predict(const uint8_t* pixels, size_t rows, float* scores) override {
    for (size_t i = 0; i < rows; ++i) {
      ConvertPixels(pixels + i * job_.inputs(), job_.inputs(), x_.data());
      std::copy_n(fann_run(net_.get(), x_.data()), job_.classes(), scores + i * job_.classes());
    }
  }

  void Amend(InitAnswer& answer) const override { answer.uses.threads = 1; }

 private:
  struct Destroy {
    void operator()(fann* net) const { fann_destroy(net); }
  };

  const Job& job_;
  std::unique_ptr<fann, Destroy> net_;
  std::vector<float> x_;       // [inputs]
  std::vector<float> target_;  // [classes], all 0 between samples
};

}  // namespace
}  // namespace mlp::peers

int main() {
  return mlp::peers::Main(
      {.name = "fann",
       .versions = {{"fann", "2.2"}},
       .uses = {.weights = false,
                .optimizer = "sgd",
                .loss = "mean_squared_error",
                .note = "an update after each sample, tanh for relu"},
       .has_logits = false},
      [](const mlp::peers::Job& job) { return std::make_unique<mlp::peers::FannPeer>(job); });
}
