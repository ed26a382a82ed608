#include "mlp/train/needed_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlp/train/testing.h"

namespace mlp::train {
namespace {

using testing::HasSubstr;

data::Dataset Pictures() {
  return RandomDataset(/*train=*/2048, /*test=*/1, /*features=*/784, /*classes=*/10);
}

// Beside what the trainer has: the model, and as much again for an evaluation.
double Taken(const model::ModelSpec& spec, const TrainOptions& options,
             const data::Dataset& dataset) {
  model::Model model(spec);
  auto trainer = Trainer::Create(options, dataset, model);
  EXPECT_TRUE(trainer.ok()) << trainer.status();
  return static_cast<double>(trainer->bytes() + 2 * model.parameters().size_bytes());
}

TEST(NeededMemoryTest, IsWhatATrainingTakes) {
  const data::Dataset dataset = Pictures();
  for (const char* text : {"784-1024-512-10", "784-512-silu-512-tanh-256-10"}) {
    const model::ModelSpec spec = Spec(text);
    for (const StrategyKind kind : kStrategyKinds) {
      if (!CanTrain(kind, {}, {spec, 64})) continue;
      for (const size_t batch_size : {16, 1024}) {
        for (const size_t shards : {0, 7}) {
          TrainOptions options;
          options.batch_size = batch_size;
          options.strategy.kind = kind;
          options.strategy.threads = 2;
          options.strategy.shards = shards;
          const double needed = NeededMemory(spec, options, dataset);
          const double taken = Taken(spec, options, dataset);
          EXPECT_LE(needed, 1.01 * taken) << Name(kind) << " " << batch_size << " " << shards;
          EXPECT_GE(needed, 0.8 * taken) << Name(kind) << " " << batch_size << " " << shards;
        }
      }
    }
  }
}

TEST(NeededMemoryTest, CountsWordsOfBfloat16) {
  const data::Dataset dataset = Pictures();
  const model::ModelSpec spec = Spec("784-1024-512-10");
  TrainOptions options;
  options.strategy.kind = StrategyKind::kTensorParallel;
  if (!CanTrain(*options.strategy.kind, {}, {spec, 64})) return;
  options.strategy.amx = false;
  options.strategy.precision = kernels::Precision::kBf16x3;
  const double needed = NeededMemory(spec, options, dataset);
  const double taken = Taken(spec, options, dataset);
  EXPECT_LE(needed, 1.01 * taken);
  EXPECT_GE(needed, 0.8 * taken);
}

TEST(NeededMemoryTest, TooMuchIsSaidBeforeItIsTaken) {
  const data::Dataset dataset = Pictures();
  const model::ModelSpec spec = Spec("784-20000-20000-10");
  TrainOptions options;
  options.strategy.kind = StrategyKind::kThreadPrivate;
  options.strategy.shards = 1024;  // 1.7 TB of gradients
  const absl::Status status = CheckMemory(spec, options, dataset);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--model: 784-20000-20000-10 has 41"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected at least 1"));
  EXPECT_EQ(CheckMemory(Spec("784-10"), {}, dataset), absl::OkStatus());
}

}  // namespace
}  // namespace mlp::train
