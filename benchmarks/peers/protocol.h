// What the driver and a peer say to each other: one JSON document a line, requests on the peer's
// standard input, answers on its standard output. README.md describes it for other languages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/record/json.h"

namespace mlp::peers {

using record::Json;

// The job, the same for all peers.
struct InitRequest {
  std::string data;  // directory with four IDX files that are not compressed
  std::string model = "784-128-128-128-10";
  size_t batch_size = 64;
  int threads = 1;
  uint64_t seed = 1;  // for what a peer draws by itself
  double learning_rate = 1e-3;
  std::string order;    // file of uint32: a permutation of the training rows for each epoch
  std::string weights;  // file of float32: for each layer W [inputs, outputs] row-major, then b
  bool operator==(const InitRequest&) const = default;
};

// What a peer does differently from the reference job; the defaults are the job itself.
struct Uses {
  bool order = true;    // trains in the given order
  bool weights = true;  // starts from the given weights
  int threads = 1;
  bool ftz = true;  // flushes denormals to zero
  std::string precision = "fp32";
  std::string optimizer = "adam";
  std::string loss = "softmax_cross_entropy";
  // Whether its loss and accuracy can be compared with ours. A row that cannot says so.
  bool checked = true;
  std::string note = "";
  bool operator==(const Uses&) const = default;
};

struct InitAnswer {
  std::string name;
  std::map<std::string, std::string> versions;  // "eigen" -> "3.4.0"
  Uses uses;
  bool operator==(const InitAnswer&) const = default;
};

struct EpochAnswer {
  double ms = 0;  // of training: shuffle or reading the order, gather, conversion, all steps
  // Means over the samples as they were trained on; none where the library does not tell.
  std::optional<double> loss = {};
  std::optional<double> accuracy = {};
  uint64_t rss_bytes = 0;  // most memory that was resident
};

struct EvaluateAnswer {  // of the test part
  std::optional<double> loss = {};
  std::optional<double> accuracy = {};
};

struct PredictAnswer {
  std::optional<double> us = {};  // median time of one batch; none where it cannot predict
};

Json ToJson(const InitRequest& request);
Json ToJson(const InitAnswer& answer);
Json ToJson(const EpochAnswer& answer);
Json ToJson(const EvaluateAnswer& answer);
Json ToJson(const PredictAnswer& answer);

// InvalidArgument says which member was expected and what was found.
absl::StatusOr<InitRequest> ParseInitRequest(const Json& json);
absl::StatusOr<InitAnswer> ParseInitAnswer(const Json& json);
absl::StatusOr<EpochAnswer> ParseEpochAnswer(const Json& json);
absl::StatusOr<EvaluateAnswer> ParseEvaluateAnswer(const Json& json);
absl::StatusOr<PredictAnswer> ParsePredictAnswer(const Json& json);

// A number of a request, such as "rows".
absl::StatusOr<size_t> ParseCount(const Json& json, const std::string& key);

// The document in a line that a peer answered with, if that says "ok": true. Unknown: the peer's
// own error. InvalidArgument: it is not an answer.
absl::StatusOr<Json> ParseAnswer(absl::string_view line);

}  // namespace mlp::peers
