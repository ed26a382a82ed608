// The first layer of 784-128-128-128-10 as one of two threads has it: 64 columns of W, pictures of
// which a fifth is ink, most of it in the middle.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/sparse/sparse.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {
namespace {

constexpr size_t kSide = 28;
constexpr size_t kColumns = kSide * kSide;
constexpr size_t kUnits = 64;
// So many batches take turns: nothing can be learnt by heart.
constexpr size_t kBatches = 16;

struct Batch {
  std::vector<AlignedBuffer<uint8_t>> blocks;  // [stretches], of [batch, kSparseColumns]
  std::vector<SparseRow> rows;                 // [stretches, batch]
  std::vector<uint64_t> bits;                  // [kColumns, words]
};

class Layer {
 public:
  Layer(Target target, size_t batch)
      : kernels_(*FindSparseKernels(target)),
        width_(kernels_.width),
        batch_(batch),
        stride_(batch * width_ + 64),
        batches_(kBatches),
        weights_(kColumns * kUnits),
        m_(kColumns * kUnits),
        v_(kColumns * kUnits),
        start_(kUnits),
        d_(kUnits / width_ * stride_),
        y_(kUnits / width_ * stride_) {
    Stream stream(1, Purpose::kTest);
    for (float& x : weights_) x = 0.05f * stream.Normal();
    for (float& x : d_) x = 0.01f * stream.Normal();
    for (size_t i = 0; i < 256; ++i) values_.push_back(static_cast<float>(i) / 255);
    for (Batch& b : batches_) {
      for (size_t s = 0; s < Stretches(); ++s) {
        b.blocks.emplace_back(batch * kSparseColumns);
        for (size_t i = 0; i < batch; ++i) {
          b.rows.push_back({b.blocks[s].data() + i * kSparseColumns, 0});
        }
      }
      for (size_t i = 0; i < batch; ++i) {
        for (size_t j = 0; j < kColumns; ++j) {
          const double x = static_cast<double>(j % kSide) - 13.5;
          const double y = static_cast<double>(j / kSide) - 13.5;
          if (stream.Uniform(0, 1) > 0.75 * std::exp(-(x * x + y * y) / 72)) continue;
          b.blocks[j / kSparseColumns][i * kSparseColumns + j % kSparseColumns] =
              static_cast<uint8_t>(1 + stream.Below(255));
        }
      }
      b.bits.resize(kColumns * SparseWords(batch));
      Search(b);
    }
  }

  // Of packed rows, those of all batches.
  void Pack() {
    for (Batch& b : batches_) {
      for (size_t i = 0; i < batch_; ++i) {
        offsets_.push_back(static_cast<uint32_t>(records_.size() / sizeof(uint64_t)));
        for (size_t s = 0; s < Stretches(); ++s) {
          const uint64_t bits = b.rows[s * batch_ + i].bits;
          const auto* bytes = reinterpret_cast<const uint8_t*>(&bits);
          records_.insert(records_.end(), bytes, bytes + sizeof(bits));
        }
        for (size_t s = 0; s < Stretches(); ++s) {
          const std::span row(b.rows[s * batch_ + i].pixels, kSparseColumns);
          std::ranges::copy_if(row, std::back_inserter(records_), [](uint8_t x) { return x != 0; });
        }
        records_.resize(RoundUp(records_.size(), sizeof(uint64_t)));
      }
    }
    records_.resize(records_.size() + 64);
    to_ = AlignedBuffer<uint8_t>((kColumns + kSparseColumns) / width_ * stride_);
    for (size_t s = 0; s < Stretches(); ++s) {
      const size_t begin = s * kSparseColumns;
      stretches_.push_back({{begin, std::min(begin + kSparseColumns, kColumns)},
                            to_.data() + begin / width_ * stride_,
                            nullptr});
    }
  }

  // In panels.
  void Unpack(const Batch& b) {
    std::vector<uint32_t> rows(batch_);
    std::iota(rows.begin(), rows.end(),
              static_cast<uint32_t>(static_cast<size_t>(&b - batches_.data()) * batch_));
    kernels_.unpack(
        {{records_.data(), offsets_.data(), Stretches(), 6}, rows, stretches_, stride_});
  }

  Batch& Next() { return batches_[turn_++ % kBatches]; }

  void Search(Batch& b) {
    for (size_t s = 0; s < Stretches(); ++s) {
      const size_t begin = s * kSparseColumns;
      const size_t columns = std::min(kSparseColumns, kColumns - begin);
      const auto rows = std::span(b.rows).subspan(s * batch_, batch_);
      kernels_.search({columns, rows});
      kernels_.transpose({columns, rows, b.bits.data() + begin * SparseWords(batch_)});
    }
  }

  void Product(const Batch& b) {
    for (size_t p = 0; p < kUnits / width_; p += kMaxSparseOperands) {
      for (size_t s = 0; s < Stretches(); ++s) {
        SparseProduct::Operand operands[kMaxSparseOperands];
        for (size_t o = 0; o < kMaxSparseOperands; ++o) {
          operands[o] = {weights_.data() + ((p + o) * kColumns + s * kSparseColumns) * width_,
                         s == 0 ? start_.data() : nullptr, y_.data() + (p + o) * stride_};
        }
        kernels_.product(
            {std::span(b.rows).subspan(s * batch_, batch_), values_.data(), operands, &prefetch_});
      }
    }
  }

  void Update(const Batch& b) {
    const UpdateStep step = {
        .rate = 1e-3f, .beta1 = 0.9f, .beta2 = 0.999f, .root_scale = 1, .epsilon = 1e-8f};
    for (size_t p = 0; p < kUnits / width_; p += kMaxSparseOperands) {
      for (size_t column = 0; column < kColumns; column += width_) {
        SparseUpdate::Operand operands[kMaxSparseOperands];
        for (size_t o = 0; o < kMaxSparseOperands; ++o) {
          const size_t at = ((p + o) * kColumns + column) * width_;
          operands[o] = {d_.data() + (p + o) * stride_,
                         weights_.data() + at,
                         {m_.data() + at, v_.data() + at}};
        }
        kernels_.update(OptimizerKind::kAdam, MathMode::kFast, step,
                        {batch_, std::min(width_, kColumns - column),
                         b.bits.data() + column * SparseWords(batch_),
                         b.blocks[column / kSparseColumns].data() + column % kSparseColumns,
                         values_.data(), operands, &prefetch_});
      }
    }
  }

 private:
  static size_t Stretches() { return (kColumns + kSparseColumns - 1) / kSparseColumns; }

  const SparseKernels& kernels_;
  const size_t width_;
  const size_t batch_;
  const size_t stride_;
  std::vector<Batch> batches_;
  AlignedBuffer<float> weights_, m_, v_, start_, d_, y_;
  std::vector<float> values_;
  RowPrefetcher prefetch_;
  std::vector<uint8_t> records_;
  std::vector<uint32_t> offsets_;
  AlignedBuffer<uint8_t> to_;
  std::vector<SparseStretch> stretches_;
  size_t turn_ = 0;
};

int Register() {
  const auto add = [](const char* name, Target target, size_t batch, auto run) {
    const std::string label = Name(target) + "/" + name + "/" + std::to_string(batch);
    benchmark::RegisterBenchmark(label.c_str(), [=](benchmark::State& state) {
      Layer layer(target, batch);
      layer.Pack();
      for ([[maybe_unused]] const auto _ : state) {
        run(layer, layer.Next());
        benchmark::ClobberMemory();
      }
    });
  };
  for (const Target& target : SupportedTargets()) {
    if (FindSparseKernels(target) == nullptr) continue;
    for (const size_t batch : {32, 64, 128, 256}) {
      add("unpack", target, batch, [](Layer& layer, Batch& b) { layer.Unpack(b); });
      add("search", target, batch, [](Layer& layer, Batch& b) { layer.Search(b); });
      add("product", target, batch, [](Layer& layer, Batch& b) { layer.Product(b); });
      add("update", target, batch, [](Layer& layer, Batch& b) { layer.Update(b); });
    }
  }
  return 0;
}

const int kRegistered = Register();

}  // namespace
}  // namespace mlp::kernels
