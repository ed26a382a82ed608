// OpenBLAS: sgemm with its own OpenMP threads; what stands between the products in parallel loops.
#include <cblas.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "benchmarks/peers/loops.h"
#include "benchmarks/peers/peer.h"

namespace mlp::peers {
namespace {

int Int(size_t n) { return static_cast<int>(n); }

class OpenBlasPeer final : public BatchPeer {
 public:
  explicit OpenBlasPeer(const Job& job)
      : BatchPeer(job.batch_size()),
        job_(job),
        offsets_(Offsets(job.widths)),
        adam_(offsets_.back().end, job.request.learning_rate),
        w_(offsets_.back().end),
        g_(offsets_.back().end) {
    openblas_set_num_threads(job.threads());
    std::copy(job.weights.begin(), job.weights.end(), w_.data());
    const size_t rows = std::max(job.batch_size(), kEvaluationRows);
    for (const size_t width : job.widths) {
      a_.emplace_back(rows * width);
      d_.emplace_back(rows * width);
    }
  }

  void Predict(const uint8_t* pixels, size_t rows, float* scores) override {
    ConvertPixels(pixels, rows * job_.inputs(), a_[0].data());
    Forward(rows);
    std::copy_n(a_.back().data(), rows * job_.classes(), scores);
  }

 private:
  void Forward(size_t rows) {
    for (size_t l = 0; l < offsets_.size(); ++l) {
      const size_t in = job_.widths[l];
      const size_t out = job_.widths[l + 1];
      float* const y = a_[l + 1].data();
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, Int(rows), Int(out), Int(in), 1,
                  a_[l].data(), Int(in), w_.data() + offsets_[l].weights, Int(out), 0, y, Int(out));
      AddBias(w_.data() + offsets_[l].bias, rows, out, l + 1 < offsets_.size(), y);
    }
  }

  void Backward(size_t rows) {
    for (size_t l = offsets_.size(); l-- > 0;) {
      const size_t in = job_.widths[l];
      const size_t out = job_.widths[l + 1];
      const float* const d = d_[l + 1].data();
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, Int(in), Int(out), Int(rows), 1,
                  a_[l].data(), Int(in), d, Int(out), 0, g_.data() + offsets_[l].weights, Int(out));
      SumRows(d, rows, out, g_.data() + offsets_[l].bias);
      if (l == 0) break;
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, Int(rows), Int(in), Int(out), 1, d,
                  Int(out), w_.data() + offsets_[l].weights, Int(out), 0, d_[l].data(), Int(in));
      MaskRelu(a_[l].data(), rows * in, d_[l].data());
    }
  }

  Sum Step(std::span<const uint32_t> rows) override {
    ConvertRows(job_.train().pixels.data(), rows, job_.inputs(), a_[0].data());
    Forward(rows.size());
    float* const logits = a_.back().data();
    const Sum sum = SoftmaxLoss(job_.train().labels.data(), rows.data(), rows.size(),
                                job_.classes(), 1.0f / static_cast<float>(rows.size()), logits);
    std::copy_n(logits, rows.size() * job_.classes(), d_.back().data());
    Backward(rows.size());
    adam_.Step(g_.data(), w_.data());
    return sum;
  }

  const Job& job_;
  const std::vector<LayerOffsets> offsets_;
  Adam adam_;
  AlignedBuffer<float> w_, g_;           // [parameters]
  std::vector<AlignedBuffer<float>> a_;  // activations, the input first: [rows, width]
  std::vector<AlignedBuffer<float>> d_;  // their gradients
};

// "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
std::string Version() {
  const std::vector<std::string> words = absl::StrSplit(openblas_get_config(), ' ');
  return words.size() > 1 ? words[1] + " " + openblas_get_corename() : "unknown";
}

}  // namespace
}  // namespace mlp::peers

int main() {
  return mlp::peers::Main(
      {.name = "openblas", .versions = {{"openblas", mlp::peers::Version()}}},
      [](const mlp::peers::Job& job) { return std::make_unique<mlp::peers::OpenBlasPeer>(job); });
}
