#include "mlp/train/evaluate.h"

#include <algorithm>
#include <numeric>

#include "mlp/data/packed_pixels.h"
#include "mlp/engine/batch.h"
#include "mlp/engine/inference.h"
#include "mlp/kernels/kernels.h"

namespace mlp::train {
namespace {

std::vector<uint32_t> AllRows(const data::Examples& examples) {
  std::vector<uint32_t> rows(examples.size);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

// Predicts rows in batches; visit(engine, rows of the batch, index of the first) after each.
template <class Visit>
void ForEachBatch(const EvaluateOptions& options, const model::Model& model,
                  const data::Examples& examples, std::span<const uint32_t> rows, Visit visit) {
  if (rows.empty()) return;
  engine::Inference engine(model, kernels::KernelsFor(options.target),
                           {.math = options.math,
                            .max_batch = std::min(options.batch_size, rows.size()),
                            .threads = options.threads});
  const data::PackedPixels& packed = examples.packed;
  std::vector<uint8_t> unpacked(packed.empty() ? 0 : engine.max_batch() * packed.features());
  for (size_t begin = 0; begin < rows.size(); begin += engine.max_batch()) {
    const auto batch = rows.subspan(begin, std::min(engine.max_batch(), rows.size() - begin));
    if (packed.empty()) {
      engine.Predict(engine::Inputs::Of(examples, batch));
    } else {
      const size_t width = packed.features();
      for (size_t i = 0; i < batch.size(); ++i) {
        packed.Unpack(batch[i], unpacked.data() + i * width);
      }
      engine.Predict(std::span<const uint8_t>(unpacked).first(batch.size() * width));
    }
    visit(engine, batch, begin);
  }
}

}  // namespace

Evaluation Evaluate(const EvaluateOptions& options, const model::Model& model,
                    const data::Examples& examples, std::span<const uint32_t> rows) {
  engine::StepResult sum;
  std::vector<uint8_t> labels;
  ForEachBatch(options, model, examples, rows,
               [&](engine::Inference& engine, std::span<const uint32_t> batch, size_t) {
                 labels.clear();
                 for (const uint32_t row : batch) labels.push_back(examples.labels[row]);
                 sum += engine.Score(labels);
               });
  if (sum.samples == 0) return {};
  return {sum.samples, sum.loss(), sum.accuracy()};
}

Evaluation Evaluate(const EvaluateOptions& options, const model::Model& model,
                    const data::Examples& examples) {
  return Evaluate(options, model, examples, AllRows(examples));
}

void Predict(const EvaluateOptions& options, const model::Model& model,
             const data::Examples& examples,
             absl::FunctionRef<void(size_t, ConstMatrix, std::span<const uint32_t>)> sink) {
  ForEachBatch(options, model, examples, AllRows(examples),
               [&](engine::Inference& engine, std::span<const uint32_t>, size_t begin) {
                 sink(begin, engine.Probabilities(), engine.Classes());
               });
}

std::vector<size_t> ConfusionMatrix(const EvaluateOptions& options, const model::Model& model,
                                    const data::Examples& examples) {
  const size_t classes = model.spec().classes();
  std::vector<size_t> counts(classes * classes);
  ForEachBatch(options, model, examples, AllRows(examples),
               [&](engine::Inference& engine, std::span<const uint32_t> batch, size_t) {
                 const std::span<const uint32_t> predicted = engine.Classes();
                 for (size_t i = 0; i < batch.size(); ++i) {
                   ++counts[examples.labels[batch[i]] * classes + predicted[i]];
                 }
               });
  return counts;
}

}  // namespace mlp::train
