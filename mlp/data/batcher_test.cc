#include "mlp/data/batcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <numeric>

namespace {
int allocations = 0;
}  // namespace

// Counts what the code under test allocates.
void* operator new(size_t n) {
  ++allocations;
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace mlp::data {
namespace {

std::vector<uint32_t> Rows(size_t n, uint32_t first = 0) {
  std::vector<uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), first);
  return rows;
}

// All batches of an epoch, joined; their sizes too.
std::vector<uint32_t> Epoch(Batcher& batcher, uint32_t epoch,
                            std::vector<size_t>* sizes = nullptr) {
  std::vector<uint32_t> all;
  batcher.StartEpoch(epoch);
  for (auto batch = batcher.Next(); !batch.empty(); batch = batcher.Next()) {
    all.insert(all.end(), batch.begin(), batch.end());
    if (sizes != nullptr) sizes->push_back(batch.size());
  }
  EXPECT_TRUE(batcher.Next().empty());
  return all;
}

TEST(BatcherTest, EveryRowOnceAnEpoch) {
  const std::vector<uint32_t> rows = Rows(1000, 17);
  Batcher batcher(rows, 64, LastBatch::kKeep, 1);
  for (const uint32_t epoch : {0, 1, 5}) {
    std::vector<uint32_t> all = Epoch(batcher, epoch);
    EXPECT_NE(all, rows);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, rows);
  }
}

TEST(BatcherTest, LastBatchIsKeptOrDropped) {
  struct Case {
    size_t rows, batch;
    LastBatch last_batch;
    std::vector<size_t> sizes;
  };
  for (const Case& c :
       {Case{10, 4, LastBatch::kKeep, {4, 4, 2}}, Case{10, 4, LastBatch::kDrop, {4, 4}},
        Case{8, 4, LastBatch::kKeep, {4, 4}}, Case{8, 4, LastBatch::kDrop, {4, 4}},
        Case{3, 4, LastBatch::kKeep, {3}}, Case{3, 4, LastBatch::kDrop, {}},
        Case{0, 4, LastBatch::kKeep, {}}, Case{2, 1, LastBatch::kKeep, {1, 1}}}) {
    Batcher batcher(Rows(c.rows), c.batch, c.last_batch, 1);
    std::vector<size_t> sizes;
    Epoch(batcher, 0, &sizes);
    EXPECT_EQ(sizes, c.sizes) << c.rows << " rows by " << c.batch;
    EXPECT_EQ(batcher.steps_per_epoch(), c.sizes.size()) << c.rows << " rows by " << c.batch;
  }
}

TEST(BatcherTest, SeedAndEpochAloneDecideTheOrder) {
  const std::vector<uint32_t> rows = Rows(500);
  Batcher first(rows, 32, LastBatch::kKeep, 1);
  for (uint32_t epoch = 0; epoch < 3; ++epoch) Epoch(first, epoch);
  const std::vector<uint32_t> third = Epoch(first, 3);

  Batcher second(rows, 50, LastBatch::kKeep, 1);
  EXPECT_EQ(Epoch(second, 3), third);
  EXPECT_NE(Epoch(second, 4), third);
  Batcher other(rows, 32, LastBatch::kKeep, 2);
  EXPECT_NE(Epoch(other, 3), third);
}

TEST(BatcherTest, AnEpochMayBeLeftEarly) {
  Batcher batcher(Rows(100), 10, LastBatch::kKeep, 1);
  batcher.StartEpoch(0);
  batcher.Next();
  EXPECT_EQ(Epoch(batcher, 1).size(), 100u);
}

TEST(BatcherTest, WithoutShufflingRowsKeepTheirOrder) {
  const std::vector<uint32_t> rows = {5, 3, 9, 1};
  Batcher batcher(rows, 3, LastBatch::kKeep, 1, /*shuffle=*/false);
  EXPECT_EQ(Epoch(batcher, 0), rows);
  EXPECT_EQ(Epoch(batcher, 1), rows);
}

TEST(BatcherTest, EpochsAllocateNothing) {
  Batcher batcher(Rows(1000), 64, LastBatch::kKeep, 1);
  const int before = allocations;
  EXPECT_GT(before, 0);
  size_t served = 0;
  for (uint32_t epoch = 0; epoch < 3; ++epoch) {
    batcher.StartEpoch(epoch);
    for (auto batch = batcher.Next(); !batch.empty(); batch = batcher.Next())
      served += batch.size();
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(served, 3000u);
}

TEST(BatcherTest, SeveralBatchesAtOnceAreThoseOneByOne) {
  std::vector<uint32_t> rows(23);
  std::iota(rows.begin(), rows.end(), 0);
  for (const LastBatch last : {LastBatch::kKeep, LastBatch::kDrop}) {
    Batcher one(rows, 4, last, 1), several(rows, 4, last, 1);
    one.StartEpoch(1);
    several.StartEpoch(1);
    std::vector<uint32_t> expected, found;
    for (auto batch = one.Next(); !batch.empty(); batch = one.Next()) {
      expected.insert(expected.end(), batch.begin(), batch.end());
    }
    for (auto batch = several.Next(3); !batch.empty(); batch = several.Next(3)) {
      EXPECT_LE(batch.size(), 12u);
      found.insert(found.end(), batch.begin(), batch.end());
    }
    EXPECT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace mlp::data
