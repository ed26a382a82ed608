#include "mlp/train/evaluate.h"

#include <algorithm>
#include <numeric>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/team.h"
#include "mlp/engine/layerwise.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/softmax/softmax.h"

namespace mlp::train {
namespace {

std::vector<uint32_t> AllRows(const data::Examples& examples) {
  std::vector<uint32_t> rows(examples.size);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

// Forward passes over rows in batches; then each(engine, context) on every worker.
template <class Each, class AfterBatch>
void ForEachBatch(const EvaluateOptions& options, const model::Model& model,
                  const data::Examples& examples, std::span<const uint32_t> rows, Each each,
                  AfterBatch after_batch) {
  if (rows.empty()) return;
  engine::Layerwise engine(model, std::min(options.batch_size, rows.size()));
  const kernels::KernelSet& kernels = kernels::KernelsFor(options.target);
  for (size_t begin = 0; begin < rows.size(); begin += engine.max_batch()) {
    const engine::Batch batch = {
        &examples, rows.subspan(begin, std::min(engine.max_batch(), rows.size() - begin))};
    RunTeam(options.threads, [&](const Worker& worker) {
      const kernels::Context context = {&kernels, options.math, worker};
      engine.Gather(context, batch);
      engine.Forward(context, model.parameters());
      each(engine, context);
    });
    after_batch(engine, begin);
  }
}

}  // namespace

Evaluation Evaluate(const EvaluateOptions& options, const model::Model& model,
                    const data::Examples& examples, std::span<const uint32_t> rows) {
  engine::StepResult sum;
  ForEachBatch(
      options, model, examples, rows,
      [](engine::Layerwise& engine, const kernels::Context& context) { engine.Loss(context, 1); },
      [&sum](const engine::Layerwise& engine, size_t) { sum += engine.Result(); });
  if (sum.samples == 0) return {};
  return {sum.samples, sum.loss(), sum.accuracy()};
}

Evaluation Evaluate(const EvaluateOptions& options, const model::Model& model,
                    const data::Examples& examples) {
  return Evaluate(options, model, examples, AllRows(examples));
}

void Predict(const EvaluateOptions& options, const model::Model& model,
             const data::Examples& examples, absl::FunctionRef<void(size_t, ConstMatrix)> sink) {
  const size_t batch = std::min(options.batch_size, std::max<size_t>(1, examples.size));
  AlignedBuffer<float> memory(batch * PaddedStride(model.outputs()));
  const auto probabilities = [&](const engine::Layerwise& engine) {
    return Matrix(memory.data(), engine.logits().rows(), model.outputs(),
                  PaddedStride(model.outputs()));
  };
  ForEachBatch(
      options, model, examples, AllRows(examples),
      [&](engine::Layerwise& engine, const kernels::Context& context) {
        kernels::Softmax(context, engine.logits(), probabilities(engine));
      },
      [&](const engine::Layerwise& engine, size_t begin) { sink(begin, probabilities(engine)); });
}

std::vector<size_t> ConfusionMatrix(const EvaluateOptions& options, const model::Model& model,
                                    const data::Examples& examples) {
  const size_t classes = model.outputs();
  std::vector<size_t> counts(classes * classes);
  Predict(options, model, examples, [&](size_t begin, ConstMatrix probabilities) {
    for (size_t i = 0; i < probabilities.rows(); ++i) {
      const float* row = probabilities.row(i);
      const size_t predicted = static_cast<size_t>(std::max_element(row, row + classes) - row);
      ++counts[examples.labels[begin + i] * classes + predicted];
    }
  });
  return counts;
}

}  // namespace mlp::train
