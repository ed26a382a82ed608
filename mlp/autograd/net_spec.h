// What a net of values is made of, as text and as a struct.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/autograd/activation.h"

namespace mlp::autograd {

struct NetSpec {
  std::vector<size_t> widths;           // inputs, then the outputs of each layer
  std::vector<Activation> activations;  // of each layer but the last, which is linear
  bool operator==(const NetSpec&) const = default;
};

// Ends the program where there are fewer than two.
void ExpectWidths(size_t count);

// All hidden layers have that activation. widths: at least two.
NetSpec MakeNetSpec(std::vector<size_t> widths, Activation activation);

// The texts of vectorised models (mlp/model/spec.h) that end in a softmax, said or unsaid, with any
// activation of nets of values: "784-16-10", "784-32-gelu-16-elu-10-softmax". InvalidArgument names
// the place and what may stand there.
absl::StatusOr<NetSpec> ParseNetSpec(absl::string_view text);

// The shortest text that ParseNetSpec reads back as the same spec.
std::string Format(const NetSpec& spec);

}  // namespace mlp::autograd
