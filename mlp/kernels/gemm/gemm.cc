#include "mlp/kernels/gemm/gemm.h"

#include <algorithm>

#include "mlp/kernels/gemm/kernels.h"

namespace mlp::kernels {
namespace {

// A team laid over the blocks of a matrix: `rows` x `cols` workers.
struct Grid {
  size_t rows;
  size_t cols;
};

// The grid whose most loaded worker has the fewest blocks; among equals the one with most columns,
// since each worker packs the columns of b that it needs.
Grid ChooseGrid(size_t workers, size_t block_rows, size_t block_cols) {
  Grid best = {workers, 1};
  size_t best_load = static_cast<size_t>(-1);
  for (size_t cols = workers; cols >= 1; --cols) {
    if (workers % cols != 0) continue;
    const size_t rows = workers / cols;
    const size_t load = ((block_rows + rows - 1) / rows) * ((block_cols + cols - 1) / cols);
    if (load < best_load) {
      best = {rows, cols};
      best_load = load;
    }
  }
  return best;
}

ConstMatrix RowsOfA(const GemmBlock& whole, Range rows) {
  return whole.form == GemmForm::kTN ? whole.a.Cols(rows.begin, rows.size())
                                     : whole.a.Rows(rows.begin, rows.size());
}

ConstMatrix ColsOfB(const GemmBlock& whole, Range cols) {
  return whole.form == GemmForm::kNT ? whole.b.Rows(cols.begin, cols.size())
                                     : whole.b.Cols(cols.begin, cols.size());
}

GemmBlock Part(const GemmBlock& whole, Range rows, Range cols) {
  return {
      whole.form,           RowsOfA(whole, rows),
      ColsOfB(whole, cols), whole.bias == nullptr ? nullptr : whole.bias + cols.begin,
      whole.output,         whole.c.Rows(rows.begin, rows.size()).Cols(cols.begin, cols.size())};
}

// This worker's share of the whole product.
void Run(const Context& context, const GemmBlock& whole, Activation activation) {
  const GemmKernels& kernels = *context.kernels->gemm;
  const Worker& worker = context.worker;
  const size_t m = whole.c.rows();
  const size_t n = whole.c.cols();
  if (whole.c.empty()) return;
  const auto run = [&](Range rows, Range cols) {
    if (rows.empty() || cols.empty()) return;
    const GemmBlock block = Part(whole, rows, cols);
    kernels.run(block);
    if (activation != Activation::kIdentity) ActivateBlock(context, activation, block.c, block.c);
  };
  const size_t block_rows = (m + kernels.block_rows - 1) / kernels.block_rows;
  const size_t block_cols = (n + kernels.block_cols - 1) / kernels.block_cols;
  if (kernels.fixed_blocks) {
    const Range mine = worker.Share(block_rows * block_cols);
    for (size_t i = mine.begin; i < mine.end; ++i) {
      const size_t row = i / block_cols * kernels.block_rows;
      const size_t col = i % block_cols * kernels.block_cols;
      run({row, std::min(m, row + kernels.block_rows)},
          {col, std::min(n, col + kernels.block_cols)});
    }
    return;
  }
  const Grid grid = ChooseGrid(static_cast<size_t>(worker.size()), block_rows, block_cols);
  const size_t rank = static_cast<size_t>(worker.rank());
  run(Share(m, kernels.block_rows, rank / grid.cols, grid.rows),
      Share(n, kernels.block_cols, rank % grid.cols, grid.cols));
}

}  // namespace

const GemmKernels* FindGemmKernels(const Target& target) {
#define MLP_TARGET(backend, isa) \
  if (target == Target{Backend::backend, Isa::isa}) return &GemmTable<Backend::backend, Isa::isa>();
#include "mlp/kernels/eigen_targets.inc"
#include "mlp/kernels/loops_targets.inc"
#include "mlp/kernels/simd_targets.inc"
#undef MLP_TARGET
  return nullptr;
}

void GemmNN(const Context& context, ConstMatrix a, ConstMatrix b, const Epilogue& epilogue,
            Matrix c) {
  MLP_CHECK_EQ(a.cols(), b.rows());
  MLP_CHECK_EQ(a.rows(), c.rows());
  MLP_CHECK_EQ(b.cols(), c.cols());
  Run(context, {GemmForm::kNN, a, b, epilogue.bias, Output::kOverwrite, c}, epilogue.activation);
}

void GemmNT(const Context& context, ConstMatrix a, ConstMatrix b, Matrix c) {
  MLP_CHECK_EQ(a.cols(), b.cols());
  MLP_CHECK_EQ(a.rows(), c.rows());
  MLP_CHECK_EQ(b.rows(), c.cols());
  Run(context, {GemmForm::kNT, a, b, nullptr, Output::kOverwrite, c}, Activation::kIdentity);
}

void GemmTN(const Context& context, ConstMatrix a, ConstMatrix b, Output output, Matrix c) {
  MLP_CHECK_EQ(a.rows(), b.rows());
  MLP_CHECK_EQ(a.cols(), c.rows());
  MLP_CHECK_EQ(b.cols(), c.cols());
  Run(context, {GemmForm::kTN, a, b, nullptr, output, c}, Activation::kIdentity);
}

}  // namespace mlp::kernels
