#include "benchmarks/peers/peer.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ext/stdio_filebuf.h>
#include <fstream>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmarks/peers/check_model.h"
#include "mlp/base/denormals.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/timer.h"
#include "mlp/data/load.h"
#include "mlp/io/atomic_file.h"
#include "mlp/model/spec.h"

namespace mlp::peers {
namespace {

constexpr size_t kMaxFileBytes = size_t{4} << 30;
constexpr unsigned kFlushBits = 0x8040;  // flush to zero, denormals are zero

// The bytes of a file of T; a wrong size is an error.
template <class T>
absl::StatusOr<std::string> ReadNumbers(const std::string& path, size_t multiple, bool exact) {
  MLP_ASSIGN_OR_RETURN(std::string bytes, io::ReadFile(path, kMaxFileBytes));
  const size_t unit = multiple * sizeof(T);
  if (bytes.empty() || bytes.size() % unit != 0 || (exact && bytes.size() != unit)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": expected ", exact ? "" : "a multiple of ", unit, " bytes, found ", bytes.size()));
  }
  return bytes;
}

// Whether every thread that computes flushes denormals.
bool AllThreadsFlush(int threads) {
  bool all = true;
#pragma omp parallel num_threads(threads) reduction(&& : all)
  all = all && (_mm_getcsr() & kFlushBits) == kFlushBits;
  return all;
}

// The most memory that this process had resident; unlike getrusage's, without that of the program
// that it was forked from.
uint64_t PeakRssBytes() {
  std::ifstream status("/proc/self/status");
  std::string key;
  uint64_t kib = 0;
  while (status >> key) {
    if (key == "VmHWM:" && status >> kib) return kib * 1024;
  }
  return 0;
}

// One peer at work: the current job and what is answered about it.
class Server {
 public:
  Server(const Description& description, const MakePeer& make)
      : description_(description), make_(make) {}

  absl::StatusOr<Json> Answer(const Json& request) {
    const auto found = request.find("op");
    const std::string op =
        found != request.end() && found->is_string() ? found->get<std::string>() : "";
    if (op == "init") return Init(request);
    if (op != "epoch" && op != "evaluate" && op != "predict") {
      return absl::InvalidArgumentError(
          absl::StrCat("\"op\": expected init, epoch, evaluate, predict or quit, found ",
                       found == request.end() ? "nothing" : record::Dump(*found)));
    }
    if (peer_ == nullptr) return absl::FailedPreconditionError(op + ": expected init before it");
    if (op == "epoch") return Epoch();
    if (op == "evaluate") return Evaluate();
    return Predict(request);
  }

 private:
  absl::StatusOr<Json> Init(const Json& json) {
    MLP_ASSIGN_OR_RETURN(const InitRequest request, ParseInitRequest(json));
    peer_.reset();
    const double pack_below = description_.pack_below ? description_.pack_below(request) : 0;
    job_ = {};  // Its memory is not needed beside the next one's.
    MLP_ASSIGN_OR_RETURN(job_, ReadJob(request, pack_below));
    omp_set_num_threads(request.threads);
    MLP_ASSIGN_OR_RETURN(peer_, make_(job_));
    epochs_done_ = 0;
    InitAnswer answer = {description_.name, description_.versions, description_.uses};
    answer.uses.threads = request.threads;
    answer.uses.ftz = AllThreadsFlush(request.threads);
    peer_->Amend(answer);
    return ToJson(answer);
  }

  absl::StatusOr<Json> Epoch() {
    const size_t rows = job_.train().size;
    if ((epochs_done_ + 1) * rows > job_.order.size()) {
      return absl::OutOfRangeError(absl::StrCat(job_.request.order, ": expected more than the ",
                                                epochs_done_, " epochs that are in it"));
    }
    const Timer timer;
    MLP_ASSIGN_OR_RETURN(
        const std::optional<Sum> sum,
        peer_->TrainEpoch(std::span(job_.order).subspan(epochs_done_ * rows, rows)));
    EpochAnswer answer = {.ms = timer.Seconds() * 1e3};
    ++epochs_done_;
    if (sum) {
      answer.loss = sum->loss / static_cast<double>(sum->samples);
      answer.accuracy = static_cast<double>(sum->hits) / static_cast<double>(sum->samples);
    }
    answer.rss_bytes = PeakRssBytes();
    return ToJson(answer);
  }

  absl::StatusOr<Json> Evaluate() {
    const data::Examples& test = job_.test();
    std::vector<float> scores(kEvaluationRows * job_.classes());
    Sum sum;
    for (size_t row = 0; row < test.size; row += kEvaluationRows) {
      const size_t rows = std::min(kEvaluationRows, test.size - row);
      peer_->Predict(test.pixels.data() + row * test.features, rows, scores.data());
      sum += SoftmaxCrossEntropy(std::span(scores).first(rows * job_.classes()),
                                 {test.labels.data() + row, rows});
    }
    EvaluateAnswer answer;
    const auto samples = static_cast<double>(sum.samples);
    answer.accuracy = static_cast<double>(sum.hits) / samples;
    if (description_.has_logits) answer.loss = sum.loss / samples;
    return ToJson(answer);
  }

  absl::StatusOr<Json> Predict(const Json& json) {
    MLP_ASSIGN_OR_RETURN(const size_t rows, ParseCount(json, "rows"));
    MLP_ASSIGN_OR_RETURN(const size_t repetitions, ParseCount(json, "repetitions"));
    const data::Examples& test = job_.test();
    const size_t most = std::min(kEvaluationRows, test.size);
    if (rows > most) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"rows\": expected at most ", most, ", found ", rows));
    }
    std::vector<float> scores(rows * job_.classes());
    std::vector<double> us;
    for (size_t i = 0; i < repetitions; ++i) {
      const size_t row = i * rows % (test.size - rows + 1);
      const Timer timer;
      peer_->Predict(test.pixels.data() + row * test.features, rows, scores.data());
      us.push_back(timer.Seconds() * 1e6);
    }
    const auto middle = us.begin() + static_cast<std::ptrdiff_t>(us.size() / 2);
    std::nth_element(us.begin(), middle, us.end());
    return ToJson(PredictAnswer{*middle});
  }

  const Description& description_;
  const MakePeer& make_;
  Job job_;
  std::unique_ptr<Peer> peer_;
  size_t epochs_done_ = 0;
};

// Other people's libraries throw.
absl::StatusOr<Json> AnswerOrCatch(Server& server, const Json& request) {
  try {
    return server.Answer(request);
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace

absl::StatusOr<std::optional<Sum>> BatchPeer::TrainEpoch(std::span<const uint32_t> order) {
  Sum sum;
  for (; !order.empty(); order = order.subspan(std::min(batch_size_, order.size()))) {
    sum += Step(order.first(std::min(batch_size_, order.size())));
  }
  return sum;
}

absl::StatusOr<Job> ReadJob(const InitRequest& request, double pack_below) {
  Job job;
  job.request = request;
  MLP_ASSIGN_OR_RETURN(const model::ModelSpec spec, model::ParseModelSpec(request.model));
  job.widths.push_back(spec.inputs);
  for (const model::DenseSpec& layer : spec.layers) job.widths.push_back(layer.units);

  MLP_ASSIGN_OR_RETURN(
      job.dataset,
      data::Load({.data = request.data, .pack_below = pack_below, .needs_pixels = true}));
  MLP_RETURN_IF_ERROR(CheckModel(spec, job.dataset));

  MLP_ASSIGN_OR_RETURN(const std::string order,
                       ReadNumbers<uint32_t>(request.order, job.train().size, /*exact=*/false));
  job.order.resize(order.size() / sizeof(uint32_t));
  std::memcpy(job.order.data(), order.data(), order.size());
  if (const auto most = std::ranges::max_element(job.order); *most >= job.train().size) {
    return absl::InvalidArgumentError(
        absl::StrCat(request.order, ": expected rows below ", job.train().size, ", found ", *most));
  }
  MLP_ASSIGN_OR_RETURN(const std::string weights,
                       ReadNumbers<float>(request.weights, spec.parameter_count(), /*exact=*/true));
  job.weights = AlignedBuffer<float>(spec.parameter_count());
  std::memcpy(job.weights.data(), weights.data(), weights.size());
  return job;
}

Sum SoftmaxCrossEntropy(std::span<const float> logits, std::span<const uint8_t> labels) {
  Sum sum = {.samples = labels.size()};
  const size_t classes = logits.size() / labels.size();
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::span<const float> row = logits.subspan(i * classes, classes);
    const auto largest = std::ranges::max_element(row);
    double total = 0;
    for (const float logit : row) total += std::exp(static_cast<double>(logit) - *largest);
    sum.loss += std::log(total) + *largest - row[labels[i]];
    sum.hits += largest - row.begin() == labels[i];
  }
  return sum;
}

int Serve(const Description& description, const MakePeer& make, std::istream& in,
          std::ostream& out) {
  const ScopedFlushDenormals flush;
  Server server(description, make);
  std::string line;
  while (std::getline(in, line)) {
    const absl::StatusOr<Json> request = record::ParseJson(line, "request");
    if (request.ok() && request->is_object() && request->value("op", Json()) == "quit") break;
    const absl::StatusOr<Json> answer =
        request.ok() ? AnswerOrCatch(server, *request) : absl::StatusOr<Json>(request.status());
    out << record::Dump(
               answer.ok() ? *answer
                           : Json{{"ok", false}, {"error", std::string(answer.status().message())}})
        << std::endl;
  }
  return 0;
}

int Main(const Description& description, const MakePeer& make) {
  // Answers keep the real standard output for themselves.
  const int answers = dup(STDOUT_FILENO);
  if (answers < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    std::perror(description.name.c_str());
    return 1;
  }
  __gnu_cxx::stdio_filebuf<char> buffer(answers, std::ios::out);
  std::ostream out(&buffer);
  return Serve(description, make, std::cin, out);
}

}  // namespace mlp::peers
