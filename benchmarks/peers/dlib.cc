// dlib: its network type, its loss and its Adam; batches are gathered straight into its tensors.
// dlib's networks are types, so the depth is that of the reference job; widths may be any.
#include <dlib/dnn.h>
#include <dlib/revision.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/peers/loops.h"
#include "benchmarks/peers/peer.h"

namespace mlp::peers {
namespace {

using dlib::fc;
using dlib::relu;
using Net = dlib::loss_multiclass_log<
    fc<10, relu<fc<128, relu<fc<128, relu<fc<128, dlib::input<dlib::matrix<float>>>>>>>>>>;
constexpr size_t kDepth = 4;

class DlibPeer final : public BatchPeer {
 public:
  explicit DlibPeer(const Job& job)
      : BatchPeer(job.batch_size()),
        job_(job),
        offsets_(Offsets(job.widths)),
        solvers_(Net::num_computational_layers, dlib::adam(/*weight_decay=*/0, 0.9f, 0.999f)) {
    // The loss is layer 0, then come an fc and a relu in turn from the output down.
    SetUp<1>(3, job);
    SetUp<3>(2, job);
    SetUp<5>(1, job);
    SetUp<7>(0, job);
    // The network takes its shape from the first input that it sees.
    const dlib::matrix<float> picture =
        dlib::zeros_matrix<float>(1, static_cast<long>(job.inputs()));
    net_.to_tensor(&picture, &picture + 1, x_);
    net_.subnet().forward(x_);
    CopyWeights<1>(3);
    CopyWeights<3>(2);
    CopyWeights<5>(1);
    CopyWeights<7>(0);
  }

  void Predict(const uint8_t* pixels, size_t rows, float* scores) override {
    Resize(rows);
    ConvertPixels(pixels, rows * job_.inputs(), x_.host());
    const dlib::tensor& logits = net_.subnet().forward(x_);
    std::copy_n(logits.host(), rows * job_.classes(), scores);
  }

 private:
  template <unsigned kLayer>
  void SetUp(size_t l, const Job& job) {
    dlib::layer<kLayer>(net_).layer_details().set_num_outputs(static_cast<long>(job.widths[l + 1]));
  }

  // Its parameters lie as the job's do: W [inputs, outputs], then b.
  template <unsigned kLayer>
  void CopyWeights(size_t l) {
    std::copy(job_.weights.begin() + offsets_[l].weights, job_.weights.begin() + offsets_[l].end,
              dlib::layer<kLayer>(net_).layer_details().get_layer_params().host());
  }

  void Resize(size_t rows) {
    x_.set_size(static_cast<long long>(rows), 1, 1, static_cast<long long>(job_.inputs()));
  }

  Sum Step(std::span<const uint32_t> rows) override {
    const size_t inputs = job_.inputs();
    Resize(rows.size());
    labels_.resize(rows.size());
    float* const x = x_.host_write_only();
#pragma omp parallel for
    for (size_t i = 0; i < rows.size(); ++i) {
      ConvertPixels(job_.train().pixels.data() + rows[i] * inputs, inputs, x + i * inputs);
      labels_[i] = job_.train().labels[rows[i]];
    }
    Sum sum = {.samples = rows.size()};
    sum.loss =
        net_.compute_parameter_gradients(x_, labels_.begin()) * static_cast<double>(rows.size());
    const float* z = net_.subnet().get_output().host();
    for (size_t i = 0; i < rows.size(); ++i, z += job_.classes()) {
      const auto largest = std::max_element(z, z + job_.classes()) - z;
      sum.hits += static_cast<unsigned long>(largest) == labels_[i];
    }
    net_.update_parameters(dlib::make_sstack(solvers_), job_.request.learning_rate);
    return sum;
  }

  const Job& job_;
  const std::vector<LayerOffsets> offsets_;
  Net net_;
  std::vector<dlib::adam> solvers_;
  dlib::resizable_tensor x_;  // [rows, 1, 1, inputs]
  std::vector<unsigned long> labels_;
};

absl::StatusOr<std::unique_ptr<Peer>> Make(const Job& job) {
  if (job.layers() != kDepth) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model: expected ", kDepth, " layers, as dlib's networks are types, found ", job.layers()));
  }
  return std::make_unique<DlibPeer>(job);
}

}  // namespace
}  // namespace mlp::peers

int main() {
  return mlp::peers::Main(
      {.name = "dlib",
       .versions = {{"dlib", absl::StrCat(DLIB_MAJOR_VERSION, ".", DLIB_MINOR_VERSION)}}},
      mlp::peers::Make);
}
