#include "mlp/model/spec.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "mlp/base/status_macros.h"

namespace mlp::model {
namespace {

using kernels::Activation;

constexpr size_t kMaxWidth = size_t{1} << 20;
constexpr size_t kMaxLayers = 1000;

// Widths and names, without brackets, quotes and separators.
std::vector<std::string> Tokens(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const bool list = !text.empty() && text.front() == '[' && text.back() == ']';
  if (list) text = text.substr(1, text.size() - 2);
  std::vector<std::string> tokens;
  for (absl::string_view token : absl::StrSplit(text, list ? ',' : '-')) {
    token = absl::StripAsciiWhitespace(token);
    if (list && token.size() >= 2 && token.front() == token.back() &&
        (token.front() == '\'' || token.front() == '"')) {
      token = token.substr(1, token.size() - 2);
    }
    tokens.emplace_back(token);
  }
  return tokens;
}

bool IsNumber(absl::string_view token) {
  return !token.empty() && absl::ascii_isdigit(static_cast<unsigned char>(token[0]));
}

class Parser {
 public:
  Parser(absl::string_view text, const ParseHidden& parse)
      : text_(text), tokens_(Tokens(text)), parse_(parse) {}

  absl::StatusOr<ModelSpec> Parse() {
    ModelSpec spec;
    MLP_ASSIGN_OR_RETURN(spec.inputs, Width());
    while (next_ < tokens_.size()) {
      MLP_ASSIGN_OR_RETURN(const size_t units, Width());
      const bool last = next_ == tokens_.size() || (next_ + 1 == tokens_.size() && !AtNumber());
      spec.layers.push_back({units, Activation::kIdentity});
      if (last) {
        MLP_ASSIGN_OR_RETURN(spec.loss, OutputLoss(units));
      } else {
        MLP_ASSIGN_OR_RETURN(spec.layers.back().activation,
                             HiddenActivation(spec.layers.size() - 1));
      }
    }
    if (spec.layers.empty()) return Wrong("at least an input and an output width", "one width");
    if (spec.layers.size() > kMaxLayers) {
      return Wrong(absl::StrCat("at most ", kMaxLayers, " layers"), spec.layers.size());
    }
    if (const size_t parameters = spec.parameter_count(); parameters > kMaxParameters) {
      return Wrong(absl::StrCat("at most ", kMaxParameters, " parameters"), parameters);
    }
    return spec;
  }

 private:
  template <class Found>
  absl::Status Wrong(absl::string_view expected, Found found) const {
    return absl::InvalidArgumentError(absl::StrCat("model \"", text_, "\": expected ", expected,
                                                   ", found ", found, "; e.g. 784-128-128-128-10"));
  }

  bool AtNumber() const { return next_ < tokens_.size() && IsNumber(tokens_[next_]); }

  absl::StatusOr<size_t> Width() {
    const std::string token = next_ < tokens_.size() ? tokens_[next_++] : "";
    size_t width = 0;
    if (!absl::SimpleAtoi(token, &width) || width == 0 || width > kMaxWidth) {
      const bool is_name = !token.empty() && absl::ascii_isalpha(token[0]);
      return Wrong(absl::StrCat("a width from 1 to ", kMaxWidth, " as part ", next_),
                   absl::StrCat("\"", token, "\"",
                                is_name ? " (activations stand behind their layer's width)" : ""));
    }
    return width;
  }

  absl::StatusOr<Activation> HiddenActivation(size_t layer) {
    if (AtNumber()) return Activation::kRelu;
    const std::string& token = tokens_[next_++];
    absl::StatusOr<Activation> activation = parse_(layer, token);
    if (!activation.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("model \"", text_, "\": part ", next_, ": ",
                                                     activation.status().message(),
                                                     "; e.g. 784-128-tanh-10"));
    }
    return activation;
  }

  // The output layer itself has no activation; what would be one is part of the loss.
  absl::StatusOr<kernels::LossKind> OutputLoss(size_t outputs) {
    if (next_ == tokens_.size()) return kernels::DefaultLoss(outputs);
    const std::string& token = tokens_[next_++];
    for (const kernels::LossKind kind : kernels::kLossKinds) {
      if (kernels::OutputName(kind) == token) return kind;
    }
    return Wrong("softmax, sigmoid, linear, or nothing, after the last width",
                 absl::StrCat("\"", token, "\""));
  }

  const absl::string_view text_;
  const std::vector<std::string> tokens_;
  const ParseHidden& parse_;
  size_t next_ = 0;
};

}  // namespace

size_t ModelSpec::parameter_count() const {
  size_t count = 0;
  size_t layer_inputs = inputs;
  for (const DenseSpec& layer : layers) {
    count += (layer_inputs + 1) * layer.units;  // each term is below 2^41, see kMaxWidth
    layer_inputs = layer.units;
  }
  return count;
}

absl::StatusOr<ModelSpec> ParseModelSpec(absl::string_view text) {
  return ParseModelSpec(
      text, [](size_t, absl::string_view name) { return kernels::ParseActivation(name); });
}

absl::StatusOr<ModelSpec> ParseModelSpec(absl::string_view text, const ParseHidden& parse) {
  return Parser(text, parse).Parse();
}

std::string Format(const ModelSpec& spec) {
  std::string text = absl::StrCat(spec.inputs);
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const DenseSpec& layer = spec.layers[i];
    absl::StrAppend(&text, "-", layer.units);
    const bool last = i + 1 == spec.layers.size();
    if (!last && layer.activation != Activation::kRelu) {
      absl::StrAppend(&text, "-", Name(layer.activation));
    }
  }
  if (spec.loss != kernels::DefaultLoss(spec.outputs())) {
    absl::StrAppend(&text, "-", kernels::OutputName(spec.loss));
  }
  return text;
}

}  // namespace mlp::model
