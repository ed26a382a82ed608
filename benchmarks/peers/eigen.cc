// Eigen: products with its own threads, everything else as fused array expressions.
#include <Eigen/Core>
#include <cmath>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/peers/peer.h"

namespace mlp::peers {
namespace {

using Eigen::Index;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::RowVectorXf;
using Pixels = Eigen::Map<const Eigen::Array<uint8_t, 1, Eigen::Dynamic>>;

constexpr Index kChunk = 4096;  // parameters whose state stays in L1 between Adam's expressions

class EigenPeer final : public BatchPeer {
 public:
  explicit EigenPeer(const Job& job)
      : BatchPeer(job.batch_size()),
        job_(job),
        w_(Eigen::Map<const Eigen::ArrayXf>(job.weights.data(), Size(job.weights.size()))),
        g_(Eigen::ArrayXf::Zero(w_.size())),
        m_(g_),
        v_(g_) {
    Eigen::setNbThreads(job.threads());
    const Index rows = Size(std::max(job.batch_size(), kEvaluationRows));
    a_.emplace_back(rows, Size(job.inputs()));
    d_.emplace_back();
    Index at = 0;
    for (size_t l = 0; l < job.layers(); ++l) {
      const Index in = Size(job.widths[l]);
      const Index out = Size(job.widths[l + 1]);
      weights_.emplace_back(w_.data() + at, in, out);
      weight_gradients_.emplace_back(g_.data() + at, in, out);
      at += in * out;
      biases_.emplace_back(w_.data() + at, out);
      bias_gradients_.emplace_back(g_.data() + at, out);
      at += out;
      a_.emplace_back(rows, out);
      d_.emplace_back(rows, out);
    }
  }

  void Predict(const uint8_t* pixels, size_t rows, float* scores) override {
    const Index n = Size(rows);
    for (Index i = 0; i < n; ++i) Convert(pixels + i * a_[0].cols(), i);
    Forward(n);
    Eigen::Map<Matrix>(scores, n, a_.back().cols()) = a_.back().topRows(n);
  }

 private:
  static Index Size(size_t n) { return static_cast<Index>(n); }

  void Convert(const uint8_t* pixels, Index i) {
    a_[0].row(i).array() = Pixels(pixels, a_[0].cols()).cast<float>() * kPixelScale;
  }

  void Forward(Index n) {
    const size_t layers = weights_.size();
    for (size_t l = 0; l < layers; ++l) {
      auto y = a_[l + 1].topRows(n);
      y.noalias() = a_[l].topRows(n) * weights_[l];
      if (l + 1 < layers) {
        y = (y.rowwise() + biases_[l]).cwiseMax(0.0f);
      } else {
        y.rowwise() += biases_[l];
      }
    }
  }

  // The gradient of the mean loss takes its place in d_.
  Sum Loss(std::span<const uint32_t> rows) {
    Sum sum = {.samples = rows.size()};
    const float scale = 1.0f / static_cast<float>(rows.size());
    for (Index i = 0; i < Size(rows.size()); ++i) {
      const Index label = job_.train().labels[rows[static_cast<size_t>(i)]];
      const auto z = a_.back().row(i).array();
      auto d = d_.back().row(i).array();
      Index largest = 0;
      const float top = z.maxCoeff(&largest);
      d = (z - top).exp();
      const float total = d.sum();
      sum.loss += std::log(total) - (z[label] - top);
      sum.hits += largest == label;
      d *= scale / total;
      d[label] -= scale;
    }
    return sum;
  }

  void Backward(Index n) {
    for (size_t l = weights_.size(); l-- > 0;) {
      const auto d = d_[l + 1].topRows(n);
      weight_gradients_[l].noalias() = a_[l].topRows(n).transpose() * d;
      bias_gradients_[l] = d.colwise().sum();
      if (l == 0) break;
      auto below = d_[l].topRows(n);
      below.noalias() = d * weights_[l].transpose();
      below.array() = (a_[l].topRows(n).array() > 0).select(below.array(), 0.0f);
    }
  }

  void Adam() {
    ++step_;
    const auto rate = static_cast<float>(job_.request.learning_rate / (1 - std::pow(0.9, step_)));
    const auto root_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(0.999, step_)));
#pragma omp parallel for
    for (Index at = 0; at < w_.size(); at += kChunk) {
      const Index n = std::min(kChunk, w_.size() - at);
      const auto g = g_.segment(at, n);
      auto m = m_.segment(at, n);
      auto v = v_.segment(at, n);
      m = 0.9f * m + 0.1f * g;
      v = 0.999f * v + 0.001f * g.square();
      w_.segment(at, n) -= rate * m / (v.sqrt() * root_scale + 1e-8f);
    }
  }

  Sum Step(std::span<const uint32_t> rows) override {
    const Index n = Size(rows.size());
#pragma omp parallel for
    for (Index i = 0; i < n; ++i) {
      Convert(job_.train().pixels.data() + rows[static_cast<size_t>(i)] * job_.inputs(), i);
    }
    Forward(n);
    const Sum sum = Loss(rows);
    Backward(n);
    Adam();
    return sum;
  }

  const Job& job_;
  Eigen::ArrayXf w_, g_, m_, v_;  // [parameters]
  std::vector<Eigen::Map<Matrix>> weights_, weight_gradients_;
  std::vector<Eigen::Map<Row>> biases_, bias_gradients_;
  std::vector<Matrix> a_;  // activations, the input first: [rows, width]
  std::vector<Matrix> d_;  // their gradients; none of the input
  int step_ = 0;
};

}  // namespace
}  // namespace mlp::peers

int main() {
  return mlp::peers::Main(
      {.name = "eigen",
       .versions = {{"eigen", absl::StrCat(EIGEN_WORLD_VERSION, ".", EIGEN_MAJOR_VERSION, ".",
                                           EIGEN_MINOR_VERSION)}}},
      [](const mlp::peers::Job& job) { return std::make_unique<mlp::peers::EigenPeer>(job); });
}
