// Training a net of values: one step after the other, sample by sample or batch by batch.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mlp/autograd/inspect.h"
#include "mlp/autograd/loss.h"
#include "mlp/autograd/optimizer.h"
#include "mlp/autograd/value_mlp.h"
#include "mlp/data/dataset.h"

namespace mlp::autograd {

struct TrainingOptions {
  std::vector<size_t> widths = {784, 16, 10};
  Activation activation = Activation::kRelu;  // of all layers but the last
  optim::OptimizerOptions optimizer = {.kind = kernels::OptimizerKind::kSgd, .learning_rate = 0.05};
  // Else once a batch, from the mean gradient. Not for packs, whose samples have one gradient.
  bool update_each_sample = false;
  double l2 = 0;       // minimises loss + l2 / 2 * (sum of squares of all parameters)
  double dropout = 0;  // the part of hidden outputs that is 0 in training, in [0, 1)
  uint64_t seed = 1;
  // Where layers differ: that of each layer but the last, in place of `activation`.
  std::vector<Activation> activations = {};
};

// InvalidArgument names the first option that makes no sense.
inline absl::Status Validate(const TrainingOptions& options) {
  const auto wrong = [](absl::string_view what, absl::string_view expected, double found) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": expected ", expected, ", found ", found));
  };
  if (options.widths.size() < 2) {
    return wrong("widths", "inputs and the outputs of at least one layer",
                 static_cast<double>(options.widths.size()));
  }
  for (const size_t width : options.widths) {
    if (width == 0) return wrong("widths", "numbers above 0", 0);
  }
  if (const size_t n = options.activations.size(); n != 0 && n != options.widths.size() - 2) {
    return wrong(
        "activations",
        absl::StrCat("none, or ", options.widths.size() - 2, ", one for each layer but the last"),
        static_cast<double>(n));
  }
  if (!(options.l2 >= 0 && std::isfinite(options.l2))) {
    return wrong("l2", "a number from 0", options.l2);
  }
  if (!(options.dropout >= 0 && options.dropout < 1)) {
    return wrong("dropout", "a number in [0, 1)", options.dropout);
  }
  return optim::Validate(options.optimizer);
}

// A tape, a net on it and its optimizer. Where T is a pack, that many samples are recorded at once.
template <class T>
class ValueTraining {
 public:
  using Element = typename Tape<T>::Element;
  static constexpr size_t kWidth = tape::PackTraits<T>::kWidth;

  // Options that Validate() refuses end the program.
  explicit ValueTraining(const TrainingOptions& options)
      : options_(options),
        net_(tape_, SpecOf(options), options.seed),
        optimizer_(options.optimizer, net_.numbers().size()),
        dropout_(options.seed, Purpose::kDropout) {
    if (kWidth > 1 && options.update_each_sample) {
      internal::Refuse(
          "update_each_sample: expected false for packs, whose samples have one gradient, found "
          "true; take ValueTraining<float> or <double>");
    }
    const std::vector<T> zeros(net_.inputs(), T(0));
    x_ = tape_.Data(zeros);
    mark_ = tape_.Mark();
  }

  Tape<T>& tape() { return tape_; }
  ValueMlp<T>& net() { return net_; }
  // Values and leaves beyond the parameters that the last sample took.
  TapeMark mark() const { return mark_; }

  // Trains on these rows. Returns their mean loss, without l2's part, at the weights that each met.
  // Gradients are 0 before and afterwards.
  double TrainStep(const data::Examples& examples, std::span<const uint32_t> rows) {
    internal::ExpectSome(rows.size(), "TrainStep: rows", "give it those of a batch");
    const bool each = options_.update_each_sample;
    const double scale = each ? 1 : 1.0 / static_cast<double>(rows.size());
    double total = 0;
    for (size_t i = 0; i < rows.size(); i += kWidth) {
      const auto group = rows.subspan(i, std::min(kWidth, rows.size() - i));
      total += Record(examples, group, scale);
      if (each) Update();
    }
    if (!each) Update();
    return total / static_cast<double>(rows.size());
  }

  // Of the updates from here on, from 0, for schedules (mlp/optim/schedule.h); at first that of
  // the options.
  void set_learning_rate(double rate) {
    if (!(rate >= 0 && std::isfinite(rate))) {
      internal::Refuse("set_learning_rate: expected a number from 0, found " +
                       std::to_string(rate) + "; give it one that training can bear");
    }
    optimizer_.set_learning_rate(rate);
  }

  // The logits of these rows, 1 to kWidth of them.
  std::span<const Value<T>> Logits(const data::Examples& examples, std::span<const uint32_t> rows) {
    tape_.Rewind(mark_);
    Gather(examples, rows);
    return net_(x_);
  }

  // The class of each row.
  std::vector<int> Predict(const data::Examples& examples, std::span<const uint32_t> rows) {
    std::vector<int> classes;
    for (size_t i = 0; i < rows.size(); i += kWidth) {
      const auto group = rows.subspan(i, std::min(kWidth, rows.size() - i));
      const std::span<const Value<T>> logits = Logits(examples, group);
      for (size_t lane = 0; lane < group.size(); ++lane) {
        size_t best = 0;
        for (size_t k = 1; k < logits.size(); ++k) {
          if (Lane(logits[k].value(), lane) > Lane(logits[best].value(), lane)) best = k;
        }
        classes.push_back(static_cast<int>(best));
      }
    }
    return classes;
  }

  // The part of these rows whose class is found.
  double Evaluate(const data::Examples& examples, std::span<const uint32_t> rows) {
    if (rows.empty()) return 0;
    ExpectLabels(examples);
    const std::vector<int> classes = Predict(examples, rows);
    size_t right = 0;
    for (size_t i = 0; i < rows.size(); ++i) right += classes[i] == examples.labels[rows[i]];
    return static_cast<double>(right) / static_cast<double>(rows.size());
  }

  // Records the loss of 1 to kWidth rows and adds `scale` times its gradient to the parameters'.
  // Returns the sum of their losses.
  double Record(const data::Examples& examples, std::span<const uint32_t> rows, double scale) {
    ExpectLabels(examples);
    tape_.Rewind(mark_);
    Gather(examples, rows);
    const std::span<const Value<T>> logits =
        options_.dropout == 0
            ? net_(x_)
            : net_.Forward(x_, [this](size_t, std::span<Value<T>> h) { Drop(h); });
    Label<T> label{};
    T seed(0);
    if constexpr (kWidth == 1) {
      label = examples.labels[rows[0]];
      seed = static_cast<T>(scale);
    } else {
      for (size_t lane = 0; lane < rows.size(); ++lane) {
        label[lane] = examples.labels[rows[lane]];
        seed.v[lane] = static_cast<Element>(scale);
      }
    }
    const Value<T> loss = softmax_cross_entropy(logits, label);
    tape_.Backward(loss, seed);
    double sum = 0;
    for (size_t lane = 0; lane < rows.size(); ++lane) sum += Lane(loss.value(), lane);
    if (!std::isfinite(sum) && first_non_finite_.empty()) [[unlikely]]
      first_non_finite_ = NameFirstNonFinite();
    return sum;
  }

  // Where the first loss that was not finite comes from: the op and its numbers. Empty while all
  // are.
  const std::string& first_non_finite() const { return first_non_finite_; }

  // One step of the optimizer on the gradients, which are 0 afterwards.
  void Update() {
    const std::span<Element> gradients = tape_.mutable_gradients();
    if (options_.l2 != 0) {
      const std::span<const Element> w = tape_.parameters();
      for (size_t i = 0; i < w.size(); ++i) {
        gradients[i] += static_cast<Element>(options_.l2) * w[i];
      }
    }
    optimizer_.Step(tape_.parameters(), gradients);
    tape_.ZeroGradients();
  }

 private:
  static NetSpec SpecOf(const TrainingOptions& options) {
    if (const absl::Status valid = Validate(options); !valid.ok()) {
      internal::Refuse(absl::StrCat("ValueTraining: ", valid.message()));
    }
    if (!options.activations.empty()) return {options.widths, options.activations};
    return MakeNetSpec(options.widths, options.activation);
  }

  std::string NameFirstNonFinite() {
    const std::optional<NonFinite> found = FindNonFinite(tape_);
    if (!found) return "a sum of losses";
    if (found->id >= tape_.parameters_end()) return found->message;
    return absl::StrCat("parameter ", found->id - tape::kFirstId, " of ", tape_.parameters().size(),
                        " is ", tape_.parameters()[found->id - tape::kFirstId],
                        " since the last update");
  }

  static Element Lane(const T& value, [[maybe_unused]] size_t lane) {
    if constexpr (kWidth == 1) {
      return value;
    } else {
      return value.v[lane];
    }
  }

  static void ExpectLabels(const data::Examples& examples) {
    internal::ExpectCount(examples.labels.size(), examples.size, "labels of the examples",
                          "give each example one");
  }

  void Gather(const data::Examples& examples, std::span<const uint32_t> rows) {
    internal::ExpectCount(net_.inputs(), examples.features, "a net's inputs",
                          "give it one for each number of an example");
    internal::ExpectSome(rows.size(), "rows of the examples", "name at least one");
    internal::ExpectBelow(rows.size(), kWidth + 1, "rows of the examples",
                          "give as many as the tape records at once");
    internal::ExpectCount(examples.packed.size() * examples.features + examples.pixels.size() +
                              examples.values.size(),
                          examples.size * examples.features, "numbers of the examples",
                          "fill them, or set their size");
    for (const uint32_t row : rows) {
      internal::ExpectBelow(row, examples.size, "a row of the examples",
                            "give it places of examples that are there");
    }
    static const std::array<Element, 256> kPixels = [] {
      std::array<Element, 256> pixels;
      for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<Element>(i) / 255;
      return pixels;
    }();
    const std::span<T> x = tape_.numbers(x_);
    const auto gather = [&]([[maybe_unused]] size_t lane, auto number_at) {
      for (size_t i = 0; i < x.size(); ++i) {
        if constexpr (kWidth == 1) {
          x[i] = number_at(i);
        } else {
          x[i].v[lane] = number_at(i);
        }
      }
    };
    for (size_t lane = 0; lane < rows.size(); ++lane) {
      const size_t begin = rows[lane] * examples.features;
      if (!examples.packed.empty()) {
        unpacked_.resize(examples.features);
        examples.packed.Unpack(rows[lane], unpacked_.data());
        gather(lane, [&](size_t i) { return kPixels[unpacked_[i]]; });
      } else if (examples.pixels.empty()) {
        gather(lane, [&](size_t i) { return static_cast<Element>(examples.values[begin + i]); });
      } else {
        gather(lane, [&](size_t i) { return kPixels[examples.pixels[begin + i]]; });
      }
    }
  }

  // Each is 0 with the probability `dropout`, else grows by 1 / (1 - dropout): the mean stays
  // (Srivastava et al. 2014).
  void Drop(std::span<Value<T>> hidden) {
    const auto keep = static_cast<Element>(1 / (1 - options_.dropout));
    const auto draw = [&] { return dropout_.Uniform() < options_.dropout ? Element(0) : keep; };
    std::vector<T>& mask = mask_;
    mask.resize(hidden.size());
    for (T& element : mask) {
      if constexpr (kWidth == 1) {
        element = draw();
      } else {
        for (size_t lane = 0; lane < kWidth; ++lane) element.v[lane] = draw();
      }
    }
    const Leaves<T> factors = tape_.Data(mask);
    for (size_t k = 0; k < hidden.size(); ++k) hidden[k] = hidden[k] * factors[k];
  }

  const TrainingOptions options_;
  Tape<T> tape_;
  ValueMlp<T> net_;
  FlatOptimizer<Element> optimizer_;
  Stream dropout_;
  Leaves<T> x_;
  TapeMark mark_{};
  std::vector<T> mask_;
  std::vector<uint8_t> unpacked_;  // a row, if rows are packed
  std::string first_non_finite_;
};

}  // namespace mlp::autograd
