// oneDNN: matmul primitives, built once for each batch size with bias and ReLU as part of the
// forward ones; what stands between them in parallel loops.
#include <dnnl.hpp>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/peers/loops.h"
#include "benchmarks/peers/peer.h"

namespace mlp::peers {
namespace {

using dnnl::memory;
using Dims = memory::dims;

// The products of a step on that many rows, each a primitive with its arguments.
struct Products {
  struct Call {
    dnnl::matmul primitive;
    std::unordered_map<int, memory> arguments;
    void operator()(dnnl::stream& stream) const { primitive.execute(stream, arguments); }
  };
  std::vector<Call> forward;
  std::vector<Call> weight_gradient;
  std::vector<Call> input_gradient;  // none of the first layer
};

class OneDnnPeer final : public BatchPeer {
 public:
  explicit OneDnnPeer(const Job& job)
      : BatchPeer(job.batch_size()),
        job_(job),
        offsets_(Offsets(job.widths)),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_),
        adam_(offsets_.back().end, job.request.learning_rate),
        w_(offsets_.back().end),
        g_(offsets_.back().end) {
    std::copy(job.weights.begin(), job.weights.end(), w_.data());
    const size_t rows = std::max(job.batch_size(), kEvaluationRows);
    for (const size_t width : job.widths) {
      a_.emplace_back(rows * width);
      d_.emplace_back(rows * width);
    }
  }

  void Predict(const uint8_t* pixels, size_t rows, float* scores) override {
    ConvertPixels(pixels, rows * job_.inputs(), a_[0].data());
    for (const Products::Call& layer : ProductsFor(rows).forward) layer(stream_);
    stream_.wait();
    std::copy_n(a_.back().data(), rows * job_.classes(), scores);
  }

 private:
  // A row-major matrix, or the transpose of one.
  memory::desc Matrix(size_t rows, size_t cols, bool transposed = false) const {
    const auto n = static_cast<memory::dim>(rows);
    const auto m = static_cast<memory::dim>(cols);
    return {{n, m}, memory::data_type::f32, transposed ? Dims{1, n} : Dims{m, 1}};
  }
  memory At(const memory::desc& desc, float* data) const { return {desc, engine_, data}; }

  Products::Call Product(const memory::desc& x, float* x_data, const memory::desc& w, float* w_data,
                         const memory::desc& y, float* y_data) const {
    return {dnnl::matmul({dnnl::matmul::desc(x, w, y), engine_}),
            {{DNNL_ARG_SRC, At(x, x_data)},
             {DNNL_ARG_WEIGHTS, At(w, w_data)},
             {DNNL_ARG_DST, At(y, y_data)}}};
  }

  Products::Call Forward(size_t l, size_t rows) {
    const memory::desc x = Matrix(rows, job_.widths[l]);
    const memory::desc w = Matrix(job_.widths[l], job_.widths[l + 1]);
    const memory::desc b = Matrix(1, job_.widths[l + 1]);
    const memory::desc y = Matrix(rows, job_.widths[l + 1]);
    dnnl::primitive_attr attributes;
    if (l + 1 < offsets_.size()) {
      dnnl::post_ops relu;
      relu.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
      attributes.set_post_ops(relu);
    }
    return {dnnl::matmul({dnnl::matmul::desc(x, w, b, y), attributes, engine_}),
            {{DNNL_ARG_SRC, At(x, a_[l].data())},
             {DNNL_ARG_WEIGHTS, At(w, w_.data() + offsets_[l].weights)},
             {DNNL_ARG_BIAS, At(b, w_.data() + offsets_[l].bias)},
             {DNNL_ARG_DST, At(y, a_[l + 1].data())}}};
  }

  const Products& ProductsFor(size_t rows) {
    const auto found = products_.find(rows);
    if (found != products_.end()) return found->second;
    Products& products = products_[rows];
    for (size_t l = 0; l < offsets_.size(); ++l) {
      const size_t in = job_.widths[l];
      const size_t out = job_.widths[l + 1];
      products.forward.push_back(Forward(l, rows));
      products.weight_gradient.push_back(Product(Matrix(in, rows, /*transposed=*/true),
                                                 a_[l].data(), Matrix(rows, out), d_[l + 1].data(),
                                                 Matrix(in, out), g_.data() + offsets_[l].weights));
      if (l == 0) {
        products.input_gradient.emplace_back();
        continue;
      }
      products.input_gradient.push_back(
          Product(Matrix(rows, out), d_[l + 1].data(), Matrix(out, in, /*transposed=*/true),
                  w_.data() + offsets_[l].weights, Matrix(rows, in), d_[l].data()));
    }
    return products;
  }

  Sum Step(std::span<const uint32_t> rows) override {
    const Products& products = ProductsFor(rows.size());
    ConvertRows(job_.train().pixels.data(), rows, job_.inputs(), a_[0].data());
    for (const Products::Call& layer : products.forward) layer(stream_);
    std::copy_n(a_.back().data(), rows.size() * job_.classes(), d_.back().data());
    const Sum sum =
        SoftmaxLoss(job_.train().labels.data(), rows.data(), rows.size(), job_.classes(),
                    1.0f / static_cast<float>(rows.size()), d_.back().data());
    for (size_t l = offsets_.size(); l-- > 0;) {
      products.weight_gradient[l](stream_);
      SumRows(d_[l + 1].data(), rows.size(), job_.widths[l + 1], g_.data() + offsets_[l].bias);
      if (l == 0) break;
      products.input_gradient[l](stream_);
      MaskRelu(a_[l].data(), rows.size() * job_.widths[l], d_[l].data());
    }
    stream_.wait();
    adam_.Step(g_.data(), w_.data());
    return sum;
  }

  const Job& job_;
  const std::vector<LayerOffsets> offsets_;
  const dnnl::engine engine_;
  dnnl::stream stream_;
  Adam adam_;
  AlignedBuffer<float> w_, g_;           // [parameters]
  std::vector<AlignedBuffer<float>> a_;  // activations, the input first: [rows, width]
  std::vector<AlignedBuffer<float>> d_;  // their gradients
  std::map<size_t, Products> products_;  // by rows
};

}  // namespace
}  // namespace mlp::peers

int main() {
  const dnnl_version_t& version = *dnnl_version();
  return mlp::peers::Main(
      {.name = "onednn",
       .versions = {{"onednn",
                     absl::StrCat(version.major, ".", version.minor, ".", version.patch)}}},
      [](const mlp::peers::Job& job) { return std::make_unique<mlp::peers::OneDnnPeer>(job); });
}
