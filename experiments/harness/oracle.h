// The double reference, trained from the same start with the same batches as a run: what the run's
// losses, weights and predictions are compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "experiments/harness/experiment.h"
#include "experiments/harness/session.h"
#include "experiments/harness/train.h"
#include "mlp/data/dataset.h"
#include "mlp/model/model.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/mlp.h"
#include "mlp/train/trainer.h"

namespace mlp::experiments {

// Rows of examples as it takes them. [rows, features]
reference::Matrix InputsOf(const data::Examples& examples, std::span<const uint32_t> rows);

// A trajectory in double.
struct Oracle {
  std::vector<double> step_losses;  // mean of each step's batch, at the weights it met
  std::vector<double> start;        // parameters before the first step
  std::vector<double> end;          // parameters after the last step
  std::vector<int> predictions;     // of the first test samples, with the last parameters
};

// `steps` steps with the options' batch size, optimizer, learning rate and seed; predictions of up
// to `test_samples` samples. The newest few are kept, so that variants of a round share one.
const Oracle& TrainReference(const Session& session, const train::TrainOptions& options,
                             size_t steps, size_t test_samples);

// Largest |loss - reference| / reference over the reference's steps; infinite where the run has
// fewer.
double LossDeviation(const std::vector<double>& step_losses, const std::vector<double>& reference);

// |w - reference's w| / |reference's w - start|: the distance between the two ends, in parts of the
// way travelled.
double WeightDeviation(const model::Model& model, const Oracle& oracle);

// What an experiment's record says of the metrics early_loss_deviation, loss_deviation and
// weight_deviation.
void SetDeviationConfig(Experiment& experiment);

// The part of the oracle's predictions that the model shares, in percent.
double PredictionAgreementPct(const Session& session, const train::TrainOptions& options,
                              const model::Model& model, const Oracle& oracle);

// The class of largest probability of the first `samples` test samples.
std::vector<int> Predictions(const Session& session, const train::TrainOptions& options,
                             const model::Model& model, size_t samples);

}  // namespace mlp::experiments
