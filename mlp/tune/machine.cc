#include "mlp/tune/machine.h"

#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "mlp/base/check.h"
#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/base/timer.h"
#include "mlp/data/dataset.h"
#include "mlp/kernels/kernels.h"
#include "mlp/model/model.h"
#include "mlp/model/spec.h"
#include "mlp/optim/optimizer.h"

namespace mlp::tune {
namespace {

constexpr char kModel[] = "784-128-128-128-10";
constexpr size_t kBatch = 64;
constexpr size_t kSteps = 6;  // of one measurement: about a millisecond

// Packed for who skips zeros, as `mlp train` has them. Who does not takes as long for any density.
data::Examples MakeExamples(double density, bool skips, const model::ModelSpec& spec) {
  constexpr size_t kSize = kSteps * kBatch;
  uint32_t drawn = 0;
  const auto draw = [&drawn] { return Philox4x32({drawn++}, {}); };
  data::Examples examples;
  examples.size = kSize;
  examples.features = spec.inputs;
  examples.pixels = AlignedBuffer<uint8_t>(kSize * spec.inputs);
  examples.labels = AlignedBuffer<uint8_t>(kSize);
  for (uint8_t& pixel : examples.pixels) {
    const auto random = draw();
    pixel = random[0] < density * 0x1p32 ? static_cast<uint8_t>(1 + random[1] % 255) : 0;
  }
  if (skips) data::PackPixels(examples);
  for (uint8_t& label : examples.labels) label = static_cast<uint8_t>(draw()[0] % spec.outputs());
  return examples;
}

// How often the operating system took a CPU away from a thread of this process.
int64_t InvoluntarySwitches() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

// One way to train, ready to go on.
class Contender {
 public:
  Contender(const model::ModelSpec& spec, const Candidate& candidate)
      : threads_(candidate.threads), model_(spec, 1), optimizer_({}, model_.parameters().size()) {
    train::StrategyOptions options = {.kind = train::StrategyKind::kTensorParallel,
                                      .target = {kernels::Backend::kSimd, candidate.isa},
                                      .threads = candidate.threads,
                                      .skip_zeros = candidate.skip_zeros};
    options = train::Resolve(options, {spec, kBatch});
    auto strategy = train::MakeStrategy(options, kBatch, model_, optimizer_);
    MLP_CHECK(strategy.ok());
    strategy_ = *std::move(strategy);
  }

  Sample Train(const data::Examples& examples) {
    std::vector<uint32_t> rows(examples.size);
    std::iota(rows.begin(), rows.end(), 0u);
    double seconds = 0;
    int64_t switches = 0;
    // As the trainer keeps one.
    KeepTeam(threads_, [&] {
      Steps({&examples, std::span(rows).first(kBatch)});  // wakes the team, fills the caches
      const int64_t before = InvoluntarySwitches();
      const Timer timer;
      Steps({&examples, rows});
      seconds = timer.Seconds();
      switches = InvoluntarySwitches() - before;
    });
    return {seconds / kSteps, switches > 0};
  }

 private:
  void Steps(const engine::Batch& batch) {
    const size_t at_once = kBatch * strategy_->steps_at_once();
    for (size_t begin = 0; begin < batch.rows.size(); begin += at_once) {
      const size_t n = std::min(at_once, batch.rows.size() - begin);
      strategy_->Steps({batch.examples, batch.rows.subspan(begin, n)}, kBatch);
    }
  }

  const int threads_;
  model::Model model_;
  optim::Optimizer optimizer_;
  std::unique_ptr<train::Strategy> strategy_;
};

}  // namespace

Space ThisMachine() {
  std::vector<Isa> isas;
  for (const Isa isa : SupportedIsas()) {
    if (kernels::KernelsFor({kernels::Backend::kSimd, isa}).panel != nullptr) isas.push_back(isa);
  }
  return {.isas = isas, .threads = AvailableThreads()};
}

Tuning TuneThisMachine() {
  const model::ModelSpec spec = *model::ParseModelSpec(kModel);
  std::map<std::pair<double, bool>, data::Examples> examples;
  // Data of any density are the same work's way: a contender serves all of them.
  std::vector<std::pair<Candidate, std::unique_ptr<Contender>>> contenders;
  const Timer timer;
  return Tune(
      ThisMachine(),
      [&](const Candidate& candidate) {
        const auto [data, is_new] = examples.try_emplace({candidate.density, candidate.skip_zeros});
        if (is_new) data->second = MakeExamples(candidate.density, candidate.skip_zeros, spec);
        Candidate way = candidate;
        way.density = 1;
        auto found = std::ranges::find(contenders, way, [](const auto& c) { return c.first; });
        if (found == contenders.end()) {
          contenders.emplace_back(way, std::make_unique<Contender>(spec, way));
          found = contenders.end() - 1;
        }
        return found->second->Train(data->second);
      },
      [&timer] { return timer.Seconds(); }, kBudget_s);
}

}  // namespace mlp::tune
