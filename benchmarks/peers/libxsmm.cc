// LIBXSMM: kernels generated once for each shape, called by threads that own rows of the batch
// going forward and backward, and blocks of weights when these are updated. Two barriers a step.
//
// LIBXSMM is column-major: a row-major matrix is the transpose of what it sees. All kernels add to
// what is there (beta = 1), where the bias or zeros are put first: kernels of version 1.17 that
// overwrite (beta = 0) have been seen to compute wrong.
#include <libxsmm.h>

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/peers/loops.h"
#include "benchmarks/peers/peer.h"

namespace mlp::peers {
namespace {

// Rows of a weight matrix whose gradient stays in L1 until Adam has used it.
constexpr size_t kBlock = 16;

using Kernel = libxsmm_smmfunction;
// The kernel for c[n, m] += b[n, k] a[k, m], row-major, each matrix's rows that far apart; `b` is
// stored [k, n] where it is transposed.
using Shape = std::tuple<size_t, size_t, size_t, size_t, size_t, size_t, bool>;

class LibxsmmPeer final : public BatchPeer {
 public:
  explicit LibxsmmPeer(const Job& job)
      : BatchPeer(job.batch_size()),
        job_(job),
        offsets_(Offsets(job.widths)),
        adam_(offsets_.back().end, job.request.learning_rate),
        w_(offsets_.back().end),
        transposed_(offsets_.back().end),
        gradients_(static_cast<size_t>(job.threads())) {
    std::copy(job.weights.begin(), job.weights.end(), w_.data());
    const size_t rows = std::max(job.batch_size(), kEvaluationRows);
    for (const size_t width : job.widths) {
      a_.emplace_back(rows * width);
      d_.emplace_back(rows * width);
    }
    const size_t widest = *std::ranges::max_element(job.widths);
    for (auto& gradient : gradients_) gradient = AlignedBuffer<float>(kBlock * widest);
    for (size_t l = 1; l < offsets_.size(); ++l) Transpose(l, 0, job.widths[l]);
  }

  void Predict(const uint8_t* pixels, size_t rows, float* scores) override {
    ConvertPixels(pixels, rows * job_.inputs(), a_[0].data());
    Forward(KernelsFor(rows), 0, rows);
    std::copy_n(a_.back().data(), rows * job_.classes(), scores);
  }

 private:
  // What a thread calls on its rows, by layer.
  struct RowKernels {
    std::vector<Kernel> forward;
    std::vector<Kernel> input_gradient;
  };

  // Null where LIBXSMM has no such kernel.
  Kernel Dispatch(size_t m, size_t n, size_t k, size_t a_step, size_t b_step, size_t c_step,
                  bool transposed = false) {
    const auto [entry, added] =
        kernels_.try_emplace(Shape{m, n, k, a_step, b_step, c_step, transposed}, nullptr);
    if (added) {
      const auto i = [](size_t value) { return static_cast<libxsmm_blasint>(value); };
      const libxsmm_blasint lda = i(a_step), ldb = i(b_step), ldc = i(c_step);
      const float one = 1;
      const int flags = transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
      entry->second =
          libxsmm_smmdispatch(i(m), i(n), i(k), &lda, &ldb, &ldc, &one, &one, &flags, nullptr);
      if (entry->second == nullptr) {
        throw std::runtime_error(absl::StrCat("LIBXSMM has no kernel for ", n, " x ", k, " x ", m));
      }
    }
    return entry->second;
  }

  const RowKernels& KernelsFor(size_t rows) {
    const auto [entry, added] = row_kernels_.try_emplace(rows);
    RowKernels& kernels = entry->second;
    if (added && rows > 0) {
      for (size_t l = 0; l < offsets_.size(); ++l) {
        const size_t in = job_.widths[l];
        const size_t out = job_.widths[l + 1];
        kernels.forward.push_back(Dispatch(out, rows, in, out, in, out));
        kernels.input_gradient.push_back(l == 0 ? nullptr : Dispatch(in, rows, out, in, out, in));
      }
    }
    return kernels;
  }

  void Forward(const RowKernels& kernels, size_t begin, size_t rows) {
    if (rows == 0) return;
    for (size_t l = 0; l < offsets_.size(); ++l) {
      const size_t out = job_.widths[l + 1];
      const float* const bias = w_.data() + offsets_[l].bias;
      float* const y = a_[l + 1].data() + begin * out;
      for (size_t i = 0; i < rows; ++i) std::copy_n(bias, out, y + i * out);
      kernels.forward[l](w_.data() + offsets_[l].weights, a_[l].data() + begin * job_.widths[l], y);
      if (l + 1 == offsets_.size()) break;
      for (size_t j = 0; j < rows * out; ++j) y[j] = std::max(y[j], 0.0f);
    }
  }

  void Backward(const RowKernels& kernels, size_t begin, size_t rows) {
    if (rows == 0) return;
    for (size_t l = offsets_.size() - 1; l > 0; --l) {
      const size_t in = job_.widths[l];
      float* const below = d_[l].data() + begin * in;
      std::fill_n(below, rows * in, 0.0f);
      kernels.input_gradient[l](transposed_.data() + offsets_[l].weights,
                                d_[l + 1].data() + begin * job_.widths[l + 1], below);
      MaskRelu(a_[l].data() + begin * in, rows * in, below);
    }
  }

  // Rows begin .. begin + count - 1 of layer l's W into its transpose [outputs, inputs].
  void Transpose(size_t l, size_t begin, size_t count) {
    const size_t in = job_.widths[l];
    const size_t out = job_.widths[l + 1];
    const float* const from = w_.data() + offsets_[l].weights;
    float* const to = transposed_.data() + offsets_[l].weights;
    for (size_t j = 0; j < out; ++j) {
      for (size_t i = begin; i < begin + count; ++i) to[j * in + i] = from[i * out + j];
    }
  }

  // The update of some rows of layer l's W, their gradient formed here.
  void UpdateBlock(Kernel kernel, size_t l, size_t begin, size_t count, float* gradient) {
    const size_t out = job_.widths[l + 1];
    const size_t at = offsets_[l].weights + begin * out;
    std::fill_n(gradient, count * out, 0.0f);
    kernel(d_[l + 1].data(), a_[l].data() + begin, gradient);
    adam_.Update(at, count * out, gradient, w_.data() + at);
    if (l > 0) Transpose(l, begin, count);
  }

  void UpdateBias(size_t l, size_t rows, float* gradient) {
    const size_t out = job_.widths[l + 1];
    SumRows(d_[l + 1].data(), rows, out, gradient);
    adam_.Update(offsets_[l].bias, out, gradient, w_.data() + offsets_[l].bias);
  }

  // One block of a layer's weights, or (count 0) its bias.
  struct Block {
    size_t layer;
    size_t begin;
    size_t count;
    Kernel kernel;
  };
  const std::vector<Block>& BlocksFor(size_t rows) {
    const auto [entry, added] = blocks_.try_emplace(rows);
    if (added) {
      for (size_t l = 0; l < offsets_.size(); ++l) {
        const size_t in = job_.widths[l];
        const size_t out = job_.widths[l + 1];
        for (size_t begin = 0; begin < in; begin += kBlock) {
          const size_t count = std::min(kBlock, in - begin);
          entry->second.push_back(
              {l, begin, count, Dispatch(out, count, rows, out, in, out, true)});
        }
        entry->second.push_back({l, 0, 0, nullptr});
      }
    }
    return entry->second;
  }

  Sum Step(std::span<const uint32_t> rows) override {
    const size_t n = rows.size();
    const size_t inputs = job_.inputs();
    const auto threads = static_cast<size_t>(job_.threads());
    // Kernels are generated here, not in the parallel region.
    const std::vector<Block>& blocks = BlocksFor(n);
    for (size_t t = 0; t < threads; ++t) KernelsFor(n * (t + 1) / threads - n * t / threads);
    adam_.NextStep();
    double loss = 0;
    size_t hits = 0;
#pragma omp parallel reduction(+ : loss, hits)
    {
      const auto [begin, end] = ThreadShare(n);
      const RowKernels& kernels = row_kernels_.find(end - begin)->second;
      for (size_t i = begin; i < end; ++i) {
        ConvertPixels(job_.train().pixels.data() + rows[i] * inputs, inputs,
                      a_[0].data() + i * inputs);
      }
      Forward(kernels, begin, end - begin);
      const size_t classes = job_.classes();
      float* const top = d_.back().data() + begin * classes;
      std::copy_n(a_.back().data() + begin * classes, (end - begin) * classes, top);
      const Sum sum = SoftmaxLoss(job_.train().labels.data(), rows.data() + begin, end - begin,
                                  classes, 1.0f / static_cast<float>(n), top);
      loss += sum.loss;
      hits += sum.hits;
      Backward(kernels, begin, end - begin);
#pragma omp barrier
      float* const gradient = gradients_[static_cast<size_t>(omp_get_thread_num())].data();
#pragma omp for schedule(static)
      for (size_t b = 0; b < blocks.size(); ++b) {
        const Block& block = blocks[b];
        if (block.count == 0) {
          UpdateBias(block.layer, n, gradient);
        } else {
          UpdateBlock(block.kernel, block.layer, block.begin, block.count, gradient);
        }
      }
    }
    return {loss, hits, n};
  }

  const Job& job_;
  const std::vector<LayerOffsets> offsets_;
  Adam adam_;
  AlignedBuffer<float> w_;                       // [parameters]
  AlignedBuffer<float> transposed_;              // each W as [outputs, inputs], at its offset
  std::vector<AlignedBuffer<float>> gradients_;  // of a block, for each thread
  std::vector<AlignedBuffer<float>> a_;          // activations, the input first: [rows, width]
  std::vector<AlignedBuffer<float>> d_;          // their gradients
  std::map<Shape, Kernel> kernels_;
  std::map<size_t, RowKernels> row_kernels_;     // by rows
  std::map<size_t, std::vector<Block>> blocks_;  // by rows of the batch
};

}  // namespace
}  // namespace mlp::peers

int main() {
  libxsmm_init();
  return mlp::peers::Main(
      {.name = "libxsmm",
       .versions = {{"libxsmm", absl::StrCat(LIBXSMM_VERSION, " ", libxsmm_get_target_arch())}}},
      [](const mlp::peers::Job& job) { return std::make_unique<mlp::peers::LibxsmmPeer>(job); });
}
