#include "mlp/kernels/sparse/sparse.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/base/rng.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/kernels/panel/panel.h"
#include "mlp/kernels/update/update.h"

namespace mlp::kernels {
namespace {

constexpr size_t kColumns = 200;

// A batch of bytes, most of them 0, in panels, with lists and bits of all its columns.
class SparseTest : public testing::TestWithParam<Target> {
 protected:
  void Draw(size_t batch) {
    batch_ = batch;
    words_ = SparseWords(batch);
    stride_ = batch * width_ + 64;
    pixels_ = AlignedBuffer<uint8_t>((kColumns + width_ - 1) / width_ * stride_);
    for (size_t i = 0; i < batch; ++i) {
      for (size_t j = 0; j < kColumns; ++j) {
        // Column 5 is 0 in all rows, row 1 in all columns, column 6 full.
        const bool is_there = j == 6 || (j != 5 && i != 1 && stream_.Below(4) == 0);
        Pixel(i, j) = static_cast<uint8_t>(is_there ? 1 + stream_.Below(255) : 0);
      }
    }
    entries_.resize(batch * kColumns + 3 * kListSlack);
    lists_.assign(ranges_.size() * batch, {});
    bits_.assign(kColumns * words_, ~uint64_t{0});
    for (size_t r = 0; r < ranges_.size(); ++r) {
      kernels_.list({batch, pixels_.data(), stride_, ranges_[r],
                     entries_.data() + batch * ranges_[r].begin + r * kListSlack,
                     lists_.data() + r * batch, bits_.data()});
    }
  }
  uint8_t& Pixel(size_t i, size_t j) {
    return pixels_[j / width_ * stride_ + i * width_ + j % width_];
  }
  AlignedBuffer<float> Random(size_t n) {
    AlignedBuffer<float> buffer(n);
    for (float& x : buffer) x = stream_.Uniform(-1, 1);
    return buffer;
  }
  static std::vector<float> Values() {
    std::vector<float> values(256);
    for (size_t k = 0; k < 256; ++k) values[k] = 1.0f / 255.0f * static_cast<float>(k);
    return values;
  }

  const SparseKernels& kernels_ = *FindSparseKernels(GetParam());
  const PanelKernels& panel_ = *FindPanelKernels(GetParam());
  const size_t width_ = kernels_.width;
  const std::vector<Range> ranges_ = {{0, 64}, {64, 64}, {64, kColumns}};
  const std::vector<float> values_ = Values();
  Stream stream_{1, Purpose::kTest};
  RowPrefetcher prefetch_;
  size_t batch_, words_, stride_;
  AlignedBuffer<uint8_t> pixels_;
  std::vector<uint32_t> entries_;
  std::vector<ByteList> lists_;
  std::vector<uint64_t> bits_;
};

TEST_P(SparseTest, ListsHoldWhatIsNotZero) {
  for (const size_t batch : {1, 2, 63, 64, 65, 130}) {
    Draw(batch);
    for (size_t r = 0; r < ranges_.size(); ++r) {
      for (size_t i = 0; i < batch; ++i) {
        std::vector<uint32_t> expected;
        for (size_t j = ranges_[r].begin; j < ranges_[r].end; ++j) {
          if (Pixel(i, j) != 0) expected.push_back(static_cast<uint32_t>(j << 8 | Pixel(i, j)));
        }
        const ByteList& list = lists_[r * batch + i];
        EXPECT_EQ(std::vector<uint32_t>(list.entries, list.entries + list.count), expected)
            << "batch " << batch << " row " << i;
      }
    }
    for (size_t j = 0; j < kColumns; ++j) {
      for (size_t i = 0; i < words_ * 64; ++i) {
        const bool expected = i < batch && Pixel(i, j) != 0;
        ASSERT_EQ(bits_[j * words_ + i / 64] >> (i % 64) & 1, uint64_t{expected})
            << "batch " << batch << " column " << j << " row " << i;
      }
    }
  }
}

// To the bit what panels give.
TEST_P(SparseTest, ProductEqualsTheDenseOne) {
  for (const size_t batch : {1, 2, 64, 65}) {
    Draw(batch);
    AlignedBuffer<float> x(pixels_.size());
    panel_.convert(x.size(), 1.0f / 255.0f, pixels_.data(), x.data());
    std::array<AlignedBuffer<float>, 2> b = {Random(kColumns * width_), Random(kColumns * width_)};
    const AlignedBuffer<float> start = Random(width_);
    for (const size_t operands : {1, 2}) {
      std::array<AlignedBuffer<float>, 2> y = {Random(batch * width_), Random(batch * width_)};
      for (size_t r = 0; r < ranges_.size(); ++r) {
        const size_t first = ranges_[r].begin;
        std::array<SparseProduct::Operand, 2> job;
        for (size_t o = 0; o < 2; ++o) {
          job[o] = {b[o].data() + first * width_, r == 0 ? start.data() : nullptr, y[o].data()};
        }
        kernels_.product({{lists_.data() + r * batch, batch},
                          values_.data(),
                          first,
                          std::span(job).first(operands),
                          &prefetch_});
      }
      for (size_t o = 0; o < operands; ++o) {
        AlignedBuffer<float> expected(batch * width_);
        panel_.product({batch, kColumns, width_, x.data(), stride_, b[o].data(), start.data(),
                        expected.data()});
        for (size_t k = 0; k < expected.size(); ++k) ASSERT_EQ(y[o][k], expected[k]) << k;
      }
    }
  }
}

// To the bit what panels give.
TEST_P(SparseTest, UpdateEqualsTheDenseOne) {
  for (const OptimizerKind kind : kOptimizerKinds) {
    for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
      for (const float keep : {1.0f, 0.99f}) {
        for (const size_t batch : {1, 65}) {
          Draw(batch);
          const UpdateStep step = {.rate = 0.01f,
                                   .keep = keep,
                                   .beta1 = 0.9f,
                                   .beta2 = 0.999f,
                                   .root_scale = 2.0f,
                                   .epsilon = 1e-8f};
          AlignedBuffer<float> x(pixels_.size());
          panel_.convert(x.size(), 1.0f / 255.0f, pixels_.data(), x.data());
          const AlignedBuffer<float> d = Random(batch * width_);
          const size_t columns = std::min<size_t>(width_, 7);
          // Weights and states, for both ways; column 5 has no state.
          std::array<std::array<AlignedBuffer<float>, 1 + kMaxStates>, 2> way;
          for (size_t k = 0; k <= kMaxStates; ++k) {
            way[0][k] = Random(width_ * width_);
            way[1][k] = AlignedBuffer<float>(width_ * width_);
            for (size_t i = 0; i < way[0][k].size(); ++i) {
              if (k > 0) way[0][k][i] = i / width_ == 5 ? 0 : std::abs(way[0][k][i]);
              way[1][k][i] = way[0][k][i];
            }
          }
          SparseUpdate::Operand operand = {d.data(), way[0][0].data(), {}};
          for (size_t k = 0; k < States(kind); ++k) operand.states[k] = way[0][k + 1].data();
          kernels_.update(kind, math, step,
                          {batch,
                           columns,
                           bits_.data(),
                           pixels_.data(),
                           values_.data(),
                           {&operand, 1},
                           &prefetch_});
          PanelUpdate job = {batch,    columns,          width_, x.data(),
                             d.data(), way[1][0].data(), {},     &prefetch_};
          for (size_t k = 0; k < States(kind); ++k) job.states[k] = way[1][k + 1].data();
          panel_.update(kind, math, step, job);
          for (size_t k = 0; k <= States(kind); ++k) {
            for (size_t i = 0; i < way[0][k].size(); ++i) {
              ASSERT_EQ(way[0][k][i], way[1][k][i])
                  << Name(kind) << " batch " << batch << " state " << k << " at " << i;
            }
          }
        }
      }
    }
  }
}

std::vector<Target> Targets() {
  std::vector<Target> targets = SupportedTargets();
  std::erase_if(targets, [](const Target& t) { return FindSparseKernels(t) == nullptr; });
  return targets;
}
INSTANTIATE_TEST_SUITE_P(, SparseTest, testing::ValuesIn(Targets()), TestName);

}  // namespace
}  // namespace mlp::kernels
