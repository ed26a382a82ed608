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

constexpr size_t kFeatures = 230;
constexpr size_t kColumns = 200;

// A batch of bytes, most of them 0, picked from a matrix by rows and columns, in stretches; with
// what is not 0 of them.
class SparseTest : public testing::TestWithParam<Target> {
 protected:
  struct Stretch {
    std::vector<Range> runs;
    size_t columns;
  };
  void Draw(size_t batch) {
    batch_ = batch;
    words_ = SparseWords(batch);
    std::vector<uint32_t> picked;
    for (uint32_t i = 0; i < batch; ++i) picked.push_back(static_cast<uint32_t>(batch - 1 - i));
    bytes_ = AlignedBuffer<uint8_t>(batch * kFeatures);
    for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(1 + stream_.Below(255));
    for (size_t i = 0; i < batch; ++i) {
      for (size_t j = 0; j < kColumns; ++j) {
        // Column 5 is 0 in all rows, row 1 in all columns, column 6 full.
        const bool is_there = j == 6 || (j != 5 && i != 1 && stream_.Below(4) == 0);
        if (!is_there) bytes_[picked[i] * kFeatures + FeatureOf(j)] = 0;
      }
    }
    blocks_.clear();
    rows_.assign(stretches_.size() * batch, {});
    bits_.assign(kColumns * words_, ~uint64_t{0});
    size_t begin = 0;
    for (size_t s = 0; s < stretches_.size(); ++s) {
      blocks_.emplace_back(batch * kSparseColumns + kRunPiece);
      // What was there before must not count.
      for (uint8_t& byte : blocks_[s]) byte = 9;
      kernels_.gather({bytes_.data(), kFeatures, picked, stretches_[s].runs, blocks_[s].data()});
      for (size_t i = 0; i < batch; ++i) {
        rows_[s * batch + i].pixels = blocks_[s].data() + i * kSparseColumns;
      }
      const auto rows = std::span(rows_).subspan(s * batch, batch);
      kernels_.search({stretches_[s].columns, rows});
      kernels_.transpose({stretches_[s].columns, rows, bits_.data() + begin * words_});
      begin += stretches_[s].columns;
    }
    // The same as panels, for products that leave out nothing.
    stride_ = batch * width_ + 64;
    panels_ = AlignedBuffer<uint8_t>((kColumns + width_ - 1) / width_ * stride_);
    for (size_t i = 0; i < batch; ++i) {
      for (size_t j = 0; j < kColumns; ++j) {
        panels_[j / width_ * stride_ + i * width_ + j % width_] = Pixel(i, j);
      }
    }
  }
  // Where the stretches find column j.
  size_t FeatureOf(size_t j) const {
    for (const Stretch& stretch : stretches_) {
      for (const Range& run : stretch.runs) {
        if (j < run.size()) return run.begin + j;
        j -= run.size();
      }
    }
    ADD_FAILURE() << "no column " << j;
    return 0;
  }
  uint8_t Pixel(size_t i, size_t j) const {
    return bytes_[(batch_ - 1 - i) * kFeatures + FeatureOf(j)];
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
  // Whole and part words of columns, runs of every kind, up to the last feature; and none.
  const std::vector<Stretch> stretches_ = {{{{0, 64}}, 64},
                                           {{{65, 66}, {68, 101}, {102, 132}}, 64},
                                           {{}, 0},
                                           {{{140, 141}, {150, 182}, {199, kFeatures}}, 64},
                                           {{{183, 191}}, 8}};
  const std::vector<float> values_ = Values();
  Stream stream_{1, Purpose::kTest};
  RowPrefetcher prefetch_;
  size_t batch_, words_, stride_;
  AlignedBuffer<uint8_t> bytes_;                // [batch, kFeatures]
  std::vector<AlignedBuffer<uint8_t>> blocks_;  // [stretches], of [batch, kSparseColumns]
  std::vector<SparseRow> rows_;                 // [stretches, batch]
  std::vector<uint64_t> bits_;                  // [kColumns, words]
  AlignedBuffer<uint8_t> panels_;
};

TEST_P(SparseTest, FindsWhatIsNotZero) {
  for (const size_t batch : {1, 2, 63, 64, 65, 130}) {
    Draw(batch);
    size_t begin = 0;
    for (size_t s = 0; s < stretches_.size(); ++s) {
      for (size_t i = 0; i < batch; ++i) {
        const SparseRow& row = rows_[s * batch + i];
        for (size_t j = 0; j < 64; ++j) {
          const bool is_there = j < stretches_[s].columns && Pixel(i, begin + j) != 0;
          ASSERT_EQ(row.bits >> j & 1, uint64_t{is_there}) << "stretch " << s << " row " << i;
          ASSERT_TRUE(!is_there || row.pixels[j] == Pixel(i, begin + j));
        }
      }
      begin += stretches_[s].columns;
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
    AlignedBuffer<float> x(panels_.size());
    panel_.convert(x.size(), 1.0f / 255.0f, panels_.data(), x.data());
    std::array<AlignedBuffer<float>, 2> b = {Random(kColumns * width_), Random(kColumns * width_)};
    const AlignedBuffer<float> start = Random(width_);
    for (const size_t operands : {1, 2}) {
      std::array<AlignedBuffer<float>, 2> y = {Random(batch * width_), Random(batch * width_)};
      size_t begin = 0;
      for (size_t s = 0; s < stretches_.size(); ++s) {
        std::array<SparseProduct::Operand, 2> job;
        for (size_t o = 0; o < 2; ++o) {
          job[o] = {b[o].data() + begin * width_, s == 0 ? start.data() : nullptr, y[o].data()};
        }
        kernels_.product({std::span(rows_).subspan(s * batch, batch), values_.data(),
                          std::span(job).first(operands), &prefetch_});
        begin += stretches_[s].columns;
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
          for (const size_t operands : {1, 2}) {
            Draw(batch);
            const UpdateStep step = {.rate = 0.01f,
                                     .keep = keep,
                                     .beta1 = 0.9f,
                                     .beta2 = 0.999f,
                                     .root_scale = 2.0f,
                                     .epsilon = 1e-8f};
            AlignedBuffer<float> x(panels_.size());
            panel_.convert(x.size(), 1.0f / 255.0f, panels_.data(), x.data());
            const size_t columns = std::min<size_t>(width_, 7);
            // Weights and states of each operand, for both ways; column 5 has no state.
            using Arrays = std::array<AlignedBuffer<float>, 1 + kMaxStates>;
            std::array<std::array<Arrays, 2>, 2> ways;
            std::array<AlignedBuffer<float>, 2> d = {Random(batch * width_),
                                                     Random(batch * width_)};
            std::array<SparseUpdate::Operand, 2> jobs;
            for (size_t o = 0; o < 2; ++o) {
              for (size_t k = 0; k <= kMaxStates; ++k) {
                ways[0][o][k] = Random(width_ * width_);
                ways[1][o][k] = AlignedBuffer<float>(width_ * width_);
                for (size_t i = 0; i < width_ * width_; ++i) {
                  float& value = ways[0][o][k][i];
                  if (k > 0) value = i / width_ == 5 ? 0 : std::abs(value);
                  ways[1][o][k][i] = value;
                }
              }
              jobs[o] = {d[o].data(), ways[0][o][0].data(), {}};
              for (size_t k = 0; k < States(kind); ++k) {
                jobs[o].states[k] = ways[0][o][k + 1].data();
              }
            }
            kernels_.update(kind, math, step,
                            {batch, columns, bits_.data(), blocks_[0].data(), values_.data(),
                             std::span(jobs).first(operands), &prefetch_});
            for (size_t o = 0; o < operands; ++o) {
              PanelUpdate job = {batch,    columns,     width_,
                                 x.data(), d[o].data(), ways[1][o][0].data(),
                                 {},       &prefetch_};
              for (size_t k = 0; k < States(kind); ++k) job.states[k] = ways[1][o][k + 1].data();
              panel_.update(kind, math, step, job);
            }
            for (size_t o = 0; o < 2; ++o) {
              for (size_t k = 0; k <= States(kind); ++k) {
                for (size_t i = 0; i < width_ * width_; ++i) {
                  ASSERT_EQ(ways[0][o][k][i], ways[1][o][k][i])
                      << Name(kind) << " batch " << batch << " operand " << o << " of " << operands
                      << " state " << k << " at " << i;
                }
              }
            }
          }
        }
      }
    }
  }
}

// Stretches from anywhere on, of records such as data/packed_pixels.h describes.
TEST_P(SparseTest, UnpacksWhatIsThere) {
  constexpr size_t kWords = (kColumns + 63) / 64;
  for (const size_t batch : {1, 2, 65}) {
    Draw(batch);
    std::vector<uint8_t> records;
    std::vector<uint32_t> offsets;
    std::vector<uint32_t> picked;
    for (size_t i = batch; i-- > 0;) {
      picked.push_back(static_cast<uint32_t>(i));
      offsets.push_back(static_cast<uint32_t>(records.size() / 8));
      uint64_t bits[kWords] = {};
      for (size_t j = 0; j < kColumns; ++j) {
        bits[j / 64] |= uint64_t{Pixel(i, j) != 0} << (j % 64);
      }
      const auto* bytes = reinterpret_cast<const uint8_t*>(bits);
      records.insert(records.end(), bytes, bytes + sizeof(bits));
      for (size_t j = 0; j < kColumns; ++j) {
        if (Pixel(i, j) != 0) records.push_back(Pixel(i, j));
      }
      records.resize((records.size() + 7) / 8 * 8, 7);
    }
    records.resize(records.size() + 64, 7);
    for (const std::vector<Range>& columns :
         {std::vector<Range>{{0, 64}, {64, 128}, {128, 192}, {192, kColumns}},
          std::vector<Range>{{96, 160}, {160, kColumns}},
          std::vector<Range>{{33, 40}, {40, 40}, {40, 104}, {104, 131}}}) {
      std::vector<AlignedBuffer<uint8_t>> bytes;
      std::vector<std::vector<SparseRow>> found;
      std::vector<SparseStretch> stretches;
      for (const Range& range : columns) {
        bytes.emplace_back(batch * kSparseColumns);
        for (uint8_t& byte : bytes.back()) byte = 9;
        found.emplace_back(batch, SparseRow{nullptr, ~uint64_t{0}});
        stretches.push_back({range, bytes.back().data(), found.back().data()});
      }
      const PackedRows from = {records.data(), offsets.data(), kWords, 3};
      // Rows lie in the order that picked turns round twice.
      const auto expected = [&](size_t s, size_t i, size_t j) -> uint8_t {
        return j < columns[s].size() ? Pixel(batch - 1 - picked[i], columns[s].begin + j) : 0;
      };
      kernels_.unpack({from, picked, stretches});
      for (size_t s = 0; s < stretches.size(); ++s) {
        for (size_t i = 0; i < batch; ++i) {
          for (size_t j = 0; j < kSparseColumns; ++j) {
            ASSERT_EQ(bytes[s][i * kSparseColumns + j], expected(s, i, j))
                << "batch " << batch << " stretch " << s << " row " << i << " column " << j;
            ASSERT_EQ(found[s][i].bits >> j & 1, uint64_t{expected(s, i, j) != 0});
          }
        }
      }
      // In panels.
      const size_t stride = batch * width_ + 64;
      std::vector<AlignedBuffer<uint8_t>> panels;
      for (SparseStretch& stretch : stretches) {
        panels.emplace_back(kSparseColumns / width_ * stride);
        for (uint8_t& byte : panels.back()) byte = 9;
        stretch.to = panels.back().data();
        stretch.found = nullptr;
      }
      kernels_.unpack({from, picked, stretches, stride});
      for (size_t s = 0; s < stretches.size(); ++s) {
        for (size_t p = 0; p < kSparseColumns / width_; ++p) {
          for (size_t i = 0; i < stride / width_; ++i) {
            for (size_t j = 0; j < width_; ++j) {
              ASSERT_EQ(panels[s][p * stride + i * width_ + j],
                        i < batch ? expected(s, i, p * width_ + j) : 9)
                  << "batch " << batch << " stretch " << s << " panel " << p << " row " << i
                  << " column " << j;
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
