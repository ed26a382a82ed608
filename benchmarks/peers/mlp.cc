// This project's own trainer as a contender. Takes the flags of `mlp train`, of which the job
// overrides what it names; the rest (strategy, skip_zeros, isa, precision, ...) makes the variants.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "benchmarks/peers/peer.h"
#include "mlp/base/status_macros.h"
#include "mlp/cli/train_flags.h"
#include "mlp/data/batcher.h"
#include "mlp/engine/inference.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/program.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/train/trainer.h"
#include "mlp/tune/tuned.h"
#include "mlp/version/version.h"

namespace mlp::peers {
namespace {

class MlpPeer final : public Peer {
 public:
  // What flags and a request, which overrides them, come to.
  static absl::StatusOr<cli::TrainPlan> Plan(const flags::Flags& given, cli::TrainFlags flags,
                                             const InitRequest& request) {
    flags.model = request.model;
    flags.batch_size = request.batch_size;
    flags.learning_rate = request.learning_rate;
    flags.seed = request.seed;
    flags.compute.threads = request.threads;
    MLP_ASSIGN_OR_RETURN(cli::TrainPlan plan, cli::MakePlan(given, flags));
    if (cli::AsksForTuning(flags, plan)) {
      // As `mlp tune` left it; a contest is no time to measure. The threads are the job's.
      if (const auto tuning = tune::Cached()) cli::ApplyTuning(flags, *tuning, &plan);
    }
    return plan;
  }

  static absl::StatusOr<std::unique_ptr<Peer>> Make(const flags::Flags& given,
                                                    const cli::TrainFlags& flags, const Job& job) {
    MLP_ASSIGN_OR_RETURN(const cli::TrainPlan plan, Plan(given, flags, job.request));
    auto peer = std::unique_ptr<MlpPeer>(new MlpPeer(job, flags, plan));
    std::ranges::copy(job.weights, peer->model_.parameters().begin());
    MLP_ASSIGN_OR_RETURN(train::Trainer trainer,
                         train::Trainer::Create(plan.options, job.dataset, peer->model_));
    peer->trainer_.emplace(std::move(trainer));
    const train::StrategyOptions& strategy = peer->trainer_->options().strategy;
    peer->engine_.emplace(peer->model_, kernels::KernelsFor(strategy.target),
                          engine::Inference::Options{.math = strategy.math,
                                                     .max_batch = kEvaluationRows,
                                                     .threads = strategy.threads,
                                                     .skip_zeros = *strategy.skip_zeros});
    return peer;
  }

  // The order is the trainer's own, from the seed, and its shuffle is counted.
  absl::StatusOr<std::optional<Sum>> TrainEpoch(std::span<const uint32_t>) override {
    MLP_ASSIGN_OR_RETURN(const train::EpochSummary epoch, trainer_->TrainEpoch());
    engine_is_old_ = true;
    const auto samples = static_cast<double>(epoch.samples);
    return Sum{epoch.train_loss * samples,
               static_cast<size_t>(epoch.train_accuracy * samples + 0.5), epoch.samples};
  }

  void Predict(const uint8_t* pixels, size_t rows, float* scores) override {
    // Its weights are no part of training.
    if (std::exchange(engine_is_old_, false)) engine_->Load();
    engine_->Predict({pixels, rows * model_.inputs()});
    for (size_t i = 0; i < rows; ++i) {
      std::copy_n(engine_->logits().row(i), model_.outputs(), scores + i * model_.outputs());
    }
  }

  void Amend(InitAnswer& answer) const override {
    const train::StrategyOptions& strategy = trainer_->options().strategy;
    answer.uses.order = own_order_is_given_;
    answer.uses.threads = strategy.threads;
    answer.uses.precision = precision_;
    answer.uses.note = absl::StrFormat(
        "%s on %s, %d of %d inputs, %s zero pixels, %s", strategy.KindName(),
        kernels::Name(strategy.target), train::UsedInputs(strategy, model_.spec()), model_.inputs(),
        strategy.skip_zeros.value_or(false) ? "leaves out" : "multiplies",
        is_tuned_ ? "tuned" : "not tuned");
  }

 private:
  MlpPeer(const Job& job, const cli::TrainFlags& flags, const cli::TrainPlan& plan)
      : precision_(flags.precision),
        is_tuned_(plan.tuning.has_value() && plan.tuning->steady),
        model_(plan.spec) {
    std::vector<uint32_t> all(job.train().size);
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    data::Batcher batcher(all, all.size(), data::LastBatch::kKeep, job.request.seed);
    batcher.StartEpoch(1);
    own_order_is_given_ =
        std::ranges::equal(batcher.Next(), std::span(job.order).first(all.size()));
  }

  const std::string precision_;
  const bool is_tuned_;
  bool own_order_is_given_ = false;
  model::Model model_;
  std::optional<train::Trainer> trainer_;
  std::optional<engine::Inference> engine_;  // of Predict
  bool engine_is_old_ = false;
};

}  // namespace
}  // namespace mlp::peers

namespace {

int Main(int argc, char** argv) {
  namespace cli = mlp::cli;
  cli::TrainFlags options;
  mlp::flags::Flags flags("mlp_peer",
                          "This project's trainer as a peer: see benchmarks/peers/README.md. The "
                          "flags are those of `mlp train`; init overrides what it names.");
  cli::AddTrainFlags(flags, &options);
  flags.Example("mlp_peer --skip_zeros=no");
  flags.Example("mlp_peer --strategy=fused");
  flags.Example("mlp_peer --isa=avx2");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;
  using mlp::peers::MlpPeer;
  const auto pack_below = [&](const mlp::peers::InitRequest& request) {
    const auto plan = MlpPeer::Plan(flags, options, request);
    return plan.ok() ? mlp::train::PackBelow(plan->options.strategy, plan->options.optimizer) : 0.0;
  };
  return mlp::peers::Main(
      {.name = "mlp", .versions = {{"mlp", mlp::version::VersionText()}}, .pack_below = pack_below},
      [&](const mlp::peers::Job& job) { return MlpPeer::Make(flags, options, job); });
}

}  // namespace

int main(int argc, char** argv) {
  return mlp::flags::RunMain("mlp_peer", [&] { return Main(argc, argv); });
}
