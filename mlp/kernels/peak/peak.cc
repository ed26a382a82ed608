#include "mlp/kernels/peak/peak.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/base/caches.h"
#include "mlp/base/check.h"
#include "mlp/base/team.h"
#include "mlp/base/timer.h"
#include "mlp/kernels/peak/kernels.h"

namespace mlp::kernels {
namespace {

constexpr size_t kUpdatedParameters = 134794;
constexpr size_t kUpdateArrays = 4;
// Read and written: w, m, v; read: g.
constexpr double kUpdateBytes = 7 * sizeof(float);
// Long against the clock's resolution and a barrier, short against a neighbour's share of the CPU.
constexpr double kSample_s = 0.4e-3;
constexpr int kMinSamples = 3;

// Where the system does not say.
constexpr size_t kL1Bytes = 32 << 10;
constexpr size_t kL2Bytes = 1 << 20;
constexpr size_t kLastBytes = 32 << 20;

constexpr char kDotBf16[] = "bf16/avx512_bf16";
constexpr char kTileBf16[] = "bf16/amx_bf16";

std::vector<Peak> Reads(int threads) {
  const std::map<std::string, uint64_t> caches = CacheSizes();
  const auto size_of = [&caches](const char* key, size_t otherwise) -> size_t {
    const auto found = caches.find(key);
    return found == caches.end() ? otherwise : found->second;
  };
  const size_t l1 = size_of("L1d_bytes", kL1Bytes);
  const size_t l2 = size_of("L2_bytes", kL2Bytes);
  const size_t l3 = size_of("L3_bytes", 0);
  const size_t team = static_cast<size_t>(threads);
  // Half of a level: room for all else that wants to be there.
  std::vector<Peak> reads = {{Peak::Kind::kRead, "L1", l1 / 2}, {Peak::Kind::kRead, "L2", l2 / 2}};
  // Other machines on the same chip have their part of it.
  constexpr size_t kMostOfL3 = 16 << 20;
  if (l3 > 0) {
    reads.push_back(
        {Peak::Kind::kRead, "L3", std::max(2 * l2, std::min(l3 / 2 / team, kMostOfL3))});
  }
  // So much that most of it is gone when its turn comes again, and no more than can be had at once.
  const size_t memory =
      std::clamp<size_t>(4 * std::max(l3, kLastBytes), size_t{64} << 20, size_t{256} << 20);
  reads.push_back({Peak::Kind::kRead, "memory", memory / team});
  for (Peak& read : reads) {
    read.bytes =
        std::max(read.bytes / (kPeakGrain * sizeof(float)), size_t{1}) * kPeakGrain * sizeof(float);
  }
  return reads;
}

const ArithmeticLoop& LoopOf(const Peak& peak) {
  if (peak.name == kDotBf16) return DotBf16Loop();
  if (peak.name == kTileBf16) return TileBf16Loop();
  for (const Isa isa : SupportedIsas()) {
    if (peak.name == ArithmeticName(isa)) return FindPeakKernels(isa).multiply_add;
  }
  MLP_CHECK(!"the peak is one of PeaksOf()");
  __builtin_unreachable();
}

// One thread's data, and how to go through it `n` times.
class Job {
 public:
  explicit Job(const Peak& peak) : peak_(peak), kernels_(FindPeakKernels(BestIsa())) {
    if (peak.kind == Peak::Kind::kArithmetic) {
      loop_ = &LoopOf(peak);
      work_ = loop_->flop_per_iteration;
      return;
    }
    const size_t n = peak.bytes / sizeof(float);
    if (peak.kind == Peak::Kind::kRead) {
      memory_ = AlignedBuffer<float>(n);
      work_ = static_cast<double>(peak.bytes);
      return;
    }
    // A line between the arrays: they do not share their L1 sets.
    const size_t part = n / kUpdateArrays;
    stride_ = part + kFloatsPerLine;
    memory_ = AlignedBuffer<float>(kUpdateArrays * stride_);
    work_ = static_cast<double>(part) * kUpdateBytes;
  }

  void Run(size_t n) {
    switch (peak_.kind) {
      case Peak::Kind::kArithmetic:
        loop_->run(n);
        return;
      case Peak::Kind::kRead:
        kernels_.read(memory_.data(), memory_.size(), n);
        return;
      case Peak::Kind::kUpdate:
        float* w = memory_.data();
        for (size_t i = 0; i < n; ++i) {
          kernels_.update(
              {w, w + stride_, w + 2 * stride_, w + 3 * stride_, stride_ - kFloatsPerLine});
        }
    }
  }

  // Of one time through: flops or bytes.
  double work() const { return work_; }

 private:
  static constexpr size_t kFloatsPerLine = kCacheLineBytes / sizeof(float);

  const Peak& peak_;
  const PeakKernels& kernels_;
  const ArithmeticLoop* loop_ = nullptr;
  AlignedBuffer<float> memory_;
  size_t stride_ = 0;
  double work_ = 0;
};

}  // namespace

std::string ArithmeticName(Isa isa, absl::string_view unit) {
  return unit.empty() ? absl::StrCat("fp32/", Name(isa)) : absl::StrCat("bf16/", unit);
}

const PeakKernels& FindPeakKernels(Isa isa) {
#define MLP_TARGET(backend, enumerator) \
  if (isa == Isa::enumerator) return PeakTable<Backend::backend, Isa::enumerator>();
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  MLP_CHECK(!"every instruction set has peak kernels");
  __builtin_unreachable();
}

std::vector<Peak> PeaksOf(int threads) {
  MLP_CHECK_GE(threads, 1);
  std::vector<Peak> peaks;
  for (const Isa isa : SupportedIsas()) {
    peaks.push_back({Peak::Kind::kArithmetic, ArithmeticName(isa)});
  }
  if (HasAvx512Bf16()) peaks.push_back({Peak::Kind::kArithmetic, kDotBf16});
  if (HasAmxBf16()) peaks.push_back({Peak::Kind::kArithmetic, kTileBf16});
  for (Peak& read : Reads(threads)) peaks.push_back(std::move(read));
  const size_t parameters = kUpdatedParameters / static_cast<size_t>(threads);
  peaks.push_back({Peak::Kind::kUpdate, "update",
                   RoundUp(parameters, kPeakGrain) * kUpdateArrays * sizeof(float)});
  return peaks;
}

double MeasurePeak(const Peak& peak, int threads, double seconds) {
  MLP_CHECK_GE(threads, 1);
  double best = 0;
  size_t passes = 1;  // set by rank 0 between two barriers
  bool done = false;  // likewise
  RunTeam(threads, [&](const Worker& worker) {
    // Each thread touches its own memory first.
    Job job(peak);
    const Timer total;
    double sample_s = 0;
    int samples = 0;
    bool sized = false;
    while (true) {
      worker.Sync();
      if (done) return;
      const Timer timer;
      job.Run(passes);
      worker.Sync();
      if (worker.rank() > 0) continue;
      sample_s = std::max(timer.Seconds(), 1e-9);
      if (!sized && sample_s < kSample_s) {
        // Doubled until one is long enough: the first ones warm up.
        passes *= 2;
        continue;
      }
      sized = true;
      ++samples;
      best = std::max(best, static_cast<double>(passes) * job.work() * threads / sample_s);
      done = samples >= kMinSamples && total.Seconds() >= seconds;
    }
  });
  return best;
}

const Rate& Peaks::Find(absl::string_view name) const {
  const auto found = std::find_if(rates.begin(), rates.end(),
                                  [name](const Rate& rate) { return rate.peak.name == name; });
  MLP_CHECK(found != rates.end());
  return *found;
}

Peaks MeasurePeaks(int threads) {
  constexpr double kEach_s = 25e-3;
  Peaks peaks = {threads, {}};
  const std::vector<Peak> alone = PeaksOf(1);
  const std::vector<Peak> together = PeaksOf(threads);
  MLP_CHECK_EQ(alone.size(), together.size());
  for (size_t i = 0; i < alone.size(); ++i) {
    const double one_thread = MeasurePeak(alone[i], 1, kEach_s);
    peaks.rates.push_back({together[i], one_thread,
                           threads == 1 ? one_thread : MeasurePeak(together[i], threads, kEach_s)});
  }
  return peaks;
}

}  // namespace mlp::kernels
