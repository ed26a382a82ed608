// The main loop of a peer in C++: it reads the job, keeps the time, evaluates and answers, so that
// a peer's own file holds only what its library's users would write.
//
//   class Mine final : public mlp::peers::BatchPeer { ... };
//   int main() {
//     return mlp::peers::Main({.name = "mine", .versions = {{"mine", "1.0"}}},
//                             [](const mlp::peers::Job& job) { return std::make_unique<Mine>(job);
//                             });
//   }
//
// Denormals are flushed to zero in the main thread before anything else: threads that are started
// later inherit that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/peers/protocol.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/data/dataset.h"

namespace mlp::peers {

// What init asks for, read and checked.
struct Job {
  InitRequest request;
  data::Dataset dataset;
  std::vector<size_t> widths;    // 784, 128, 128, 128, 10: ReLU between, logits last
  std::vector<uint32_t> order;   // [epochs, train().size]
  AlignedBuffer<float> weights;  // [parameters]

  const data::Examples& train() const { return dataset.train; }
  const data::Examples& test() const { return dataset.test; }
  size_t batch_size() const { return request.batch_size; }
  int threads() const { return request.threads; }
  size_t layers() const { return widths.size() - 1; }
  size_t inputs() const { return widths.front(); }
  size_t classes() const { return widths.back(); }
};

// Pixels are trained on as numbers in [0, 1].
inline constexpr float kPixelScale = 1.0f / 255;

// Sums over samples.
struct Sum {
  double loss = 0;  // nats
  size_t hits = 0;
  size_t samples = 0;
  Sum& operator+=(const Sum& other) {
    loss += other.loss;
    hits += other.hits;
    samples += other.samples;
    return *this;
  }
};

class Peer {
 public:
  virtual ~Peer() = default;

  // Trains on all rows in that order, in batches, the last one with what is left. None: the
  // library does not tell the loss. Its whole time counts. An error, as where training diverges,
  // is the answer to the request.
  virtual absl::StatusOr<std::optional<Sum>> TrainEpoch(std::span<const uint32_t> order) = 0;

  // The scores of pictures: logits, or what Description::has_logits says. Not in batches larger
  // than kEvaluationRows.
  // pixels: [rows, inputs], scores: [rows, classes]
  virtual void Predict(const uint8_t* pixels, size_t rows, float* scores) = 0;

  // What the job turned out to be, where that is known only after construction.
  virtual void Amend(InitAnswer&) const {}
};

inline constexpr size_t kEvaluationRows = 256;

// A peer whose library trains on one batch after the other.
class BatchPeer : public Peer {
 public:
  explicit BatchPeer(size_t batch_size) : batch_size_(batch_size) {}
  absl::StatusOr<std::optional<Sum>> TrainEpoch(std::span<const uint32_t> order) final;

 private:
  // One update.
  virtual Sum Step(std::span<const uint32_t> rows) = 0;

  const size_t batch_size_;
};

struct Description {
  std::string name;
  std::map<std::string, std::string> versions;
  Uses uses = {};
  bool has_logits = true;  // else scores only have their order, and there is no test loss
  // The peer can read training pixels that are packed (see data::Examples) if they are sparser than
  // this. Null: it cannot.
  std::function<double(const InitRequest&)> pack_below = nullptr;
};

using MakePeer = std::function<absl::StatusOr<std::unique_ptr<Peer>>(const Job&)>;

// Reads the files that the request names. Errors say which, and what is wrong with it. pack_below:
// see data::Source.
absl::StatusOr<Job> ReadJob(const InitRequest& request, double pack_below = 0);

// Loss and hits of logits [rows, classes].
Sum SoftmaxCrossEntropy(std::span<const float> logits, std::span<const uint8_t> labels);

// Answers requests until "quit" or the end of input. Returns main's exit code.
int Serve(const Description& description, const MakePeer& make, std::istream& in,
          std::ostream& out);

// Serves the standard streams. What a library prints on standard output goes to standard error.
int Main(const Description& description, const MakePeer& make);

}  // namespace mlp::peers
