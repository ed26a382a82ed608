// A stand-alone program that trains for some epochs and prints how long one took, as a peer: each
// time it is asked for an epoch it is started, for a few of them, and runs to its end.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "benchmarks/peers/protocol.h"

namespace mlp::peers {

// The command's words with what the job says in place of {data}, {model}, {batch}, {threads},
// {seed}, {learning_rate} and {epochs}.
std::vector<std::string> FillIn(std::vector<std::string> words, const InitRequest& job,
                                size_t epochs);

// The time of an epoch in what a program printed: the number after its last "median" or "med", else
// the median of all numbers before "ms". InvalidArgument: there is none above 0.
absl::StatusOr<double> EpochMs(absl::string_view output);

// Answers the protocol's requests for the command.
class CommandPeer {
 public:
  CommandPeer(std::vector<std::string> words, size_t epochs)
      : words_(std::move(words)), epochs_(epochs) {}

  absl::StatusOr<Json> Answer(const Json& request);

 private:
  absl::StatusOr<Json> Init(const Json& request);
  absl::StatusOr<Json> Epoch() const;

  const std::vector<std::string> words_;
  const size_t epochs_;
  std::vector<std::string> argv_;  // filled in; empty before init
};

}  // namespace mlp::peers
