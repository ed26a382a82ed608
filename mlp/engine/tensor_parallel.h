// One training step of a dense stack, at the hardware's pace: tensor parallelism in the manner of
// Shoeybi et al., "Megatron-LM" (2019, section 3), inside one CPU.
//
// A shard owns, for good, some columns of one layer's W and the rows of the next layer's W that
// these columns feed, with the optimizer's state. So weights never cross from core to core; only
// sums of partial products do. Layers alternate: the last layer is split by rows, the one before by
// columns, and so on.
//
//   by columns: y[:, own] = f(x W[:, own] + b[own]); needs all of x
//   by rows:    y = f(sum over shards of x[:, own] W[own, :] + b); needs x[:, own] alone
//
// The weight gradient is formed tile by tile in registers and applied at once; it is never stored.
// The number of shards is part of the plan: sums over shards have a fixed order, so results do not
// depend on the number of threads that execute them (rule R8).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "mlp/base/arena.h"
#include "mlp/base/profile.h"
#include "mlp/base/team.h"
#include "mlp/base/trial.h"
#include "mlp/engine/batch.h"
#include "mlp/kernels/context.h"
#include "mlp/kernels/loss/loss.h"
#include "mlp/kernels/pairs/pairs.h"
#include "mlp/kernels/panel/panel.h"
#include "mlp/kernels/sparse/sparse.h"
#include "mlp/kernels/update/update.h"
#include "mlp/model/model.h"
#include "mlp/optim/optimizer.h"

namespace mlp::engine {

// How many shards a model is cut into where nobody says. From its widths alone, as bits depend on
// it: as many as its widest hidden layer has room for, so that as many threads have work.
size_t DefaultShards(const model::ModelSpec& spec);

class TensorParallel {
 public:
  // The input is turned into floats this many panels at a time: few enough that they stay in L2,
  // many enough that sums seldom leave the registers.
  static constexpr size_t kInputPanels = 8;

  // `kernels` must have a panel family. Threads beyond the number of shards have nothing to do.
  struct Options {
    kernels::MathMode math = kernels::MathMode::kFast;
    // Of the factors of products; sums, weights and states are single precision.
    kernels::Precision precision = kernels::Precision::kFp32;
    // Products of bfloat16 by the CPU's tiles, which `kernels` must have then: bits differ.
    bool tiles = false;
    size_t shards = 1;
    size_t max_batch = 1;
    int threads = 1;
    // Leave out products with pixels that are 0. With fp32 bits stay the same, so this may follow
    // the data; else the first layer's products are those of fp32.
    bool skip_zeros = false;
    // Of the data those that are not 0 in every row, ascending; empty for all. The others are left
    // out as if the model did not have them: without a gradient or states their weights stay.
    // Pixels may be packed, of the same columns.
    std::span<const uint32_t> columns = {};
    // Whether threads hand over partial sums through memory, past the caches, or by lines that they
    // take from each other. None: as it is faster, which is found while they train.
    std::optional<bool> past_caches = {};
    Profile* profile = nullptr;  // where steps note what they do, with a lane for each thread
  };
  TensorParallel(const model::Model& model, const optim::Optimizer& optimizer,
                 const kernels::KernelSet& kernels, const Options& options);

  // Brings the model and the optimizer up to date.
  void Store(model::Model& model, optim::Optimizer& optimizer) const;

  // Trains on the batch in steps of batch_size rows each, the last of what is left. `updates` are
  // the optimizer's constants of each step. Between steps threads do not wait for each other.
  StepResult Steps(const Batch& batch, size_t batch_size,
                   std::span<const kernels::UpdateStep> updates);

  size_t bytes() const { return arena_.bytes(); }
  size_t shards() const { return shards_; }
  // Columns of the data that are read.
  size_t columns() const { return columns_.size(); }

 private:
  enum class Split { kByColumns, kByRows };

  // Parameters of one kind and the state that belongs to them.
  struct Parameters {
    std::span<float> values;
    std::array<std::span<float>, kernels::kMaxStates> states;
  };

  // Values and what products read of them: words packed from them (see pairs.h), or the values
  // themselves, as 0 terms.
  struct Factor {
    std::span<float> values;  // panels of [max_batch, width]
    kernels::Split columns;   // words of columns: panels of [max_batch, width], half as many
    kernels::Split rows;      // words of rows: panels of [Words(max_batch), width]
  };

  // What a shard owns of a layer.
  struct Slice {
    Range in;                     // rows of W
    Range out;                    // columns of W
    Range stretches;              // of the input, those that are its rows; first layer
    Parameters weights;           // panels of [in rounded up, width]
    std::span<float> transposed;  // panels of [out rounded up, width]; empty for the first layer
    // What products read: both as they are (0 terms), or words of their rows.
    kernels::Split forward;
    kernels::Split backward;
    Parameters bias;  // [out rounded up]; zeros for shards but the first, if by rows
    // All panels of [max_batch, width].
    std::span<float> product;    // input W + bias; by rows, the shard's part of it
    Factor y;                    // by columns: f(product), in the same place if that may be lost
    Factor d;                    // by columns: gradient with respect to the product
    std::span<float> partial;    // by rows: the product; by columns: part of the input's gradient
    std::span<float> published;  // the same for other threads, if the shard is a root
  };

  // What a thread has of a layer that is split by rows: all columns.
  struct Whole {
    std::span<float> z;
    Factor y;
    Factor d;
  };

  struct Layer {
    size_t inputs;
    size_t outputs;
    kernels::Activation activation;
    bool keeps_z;
    Split split;
    std::vector<Slice> slices;  // [shards]
    std::vector<Whole> wholes;  // [threads], if by rows
  };

  // A thread's own room, on cache lines of its own, and not beside another's (CPUs fetch lines in
  // pairs): what it writes here in every tile would take others' lines from them.
  struct alignas(2 * kCacheLineBytes) Desk {
    std::vector<Range> runs;      // columns of the data that this thread reads
    std::span<uint8_t> gathered;  // [kGatherRows, GatherRowBytes(columns)] for several runs
    std::span<uint8_t> pixels;    // panels of [max_batch, width]
    // Where packed pixels go: to those panels, a stretch as wide as several of them.
    std::vector<kernels::SparseStretch> stretches;
    // If zeros are skipped, instead of panels: stretches of their own, and what is not 0 of them.
    std::span<kernels::SparseRow> rows;  // [stretches, max_batch]
    std::span<uint64_t> bits;            // [inputs, words]
    std::span<float> input;              // kInputPanels panels of [max_batch, width]
    std::span<float> gradient;           // [width]
    std::span<uint8_t> labels;           // [max_batch]
    std::span<float> losses;             // [max_batch]
    std::span<uint8_t> hits;             // [max_batch]
    std::span<float> logits;  // [max_batch, outputs], where they take more than one panel
    std::span<kernels::PanelSum::Part> parts;  // [roots_]
    kernels::RowPrefetcher prefetch;
  };

  // Columns of the input that are unpacked, and that sparse products take, at once.
  struct Stretch {
    Range columns;
    std::vector<Range> runs;  // of the data's columns
  };

  // A step as one worker sees it.
  struct Turn {
    const Batch& batch;
    const kernels::UpdateStep& update;
    const Worker& worker;
    Range shards;  // this worker's
    Desk& desk;
    bool past_caches;  // of Options
    size_t rows() const { return batch.rows.size(); }
    size_t rank() const { return static_cast<size_t>(worker.rank()); }
  };

  // Weights and optimizer state from where they are at home.
  void Load(const model::Model& model, const optim::Optimizer& optimizer);
  void Plan(Arena& arena);
  // The data's columns that are those of the input.
  std::vector<Range> RunsOf(Range columns) const;
  // Columns of the first layer's input that some neighbouring shards read, and its stretches.
  Range InputColumns(Range shards) const {
    const std::vector<Slice>& slices = layers_.front().slices;
    return {slices[shards.begin].in.begin, slices[shards.end - 1].in.end};
  }
  Range InputStretches(Range shards) const {
    const std::vector<Slice>& slices = layers_.front().slices;
    return {slices[shards.begin].stretches.begin, slices[shards.end - 1].stretches.end};
  }
  size_t Panels(size_t columns) const { return (columns + width_ - 1) / width_; }
  kernels::Context Alone() const { return {&kernels_, math_, Worker()}; }
  // Columns of panel p that matter, of `columns` in all.
  size_t ColumnsOf(size_t columns, size_t p) const {
    return columns - p * width_ < width_ ? columns - p * width_ : width_;
  }

  void RunStep(const Turn& turn);
  // What this worker wrote is there for the others.
  void Raise(const Turn& turn);
  StepResult ResultOf(const Turn& turn) const;
  // What an op of layer i has to do on this worker, for the profile.
  ProfileWork ProductWork(const Turn& turn, size_t i) const;
  ProfileWork UpdateWork(const Turn& turn, size_t i) const;
  void GatherInput(const Turn& turn) const;
  void GatherStretches(const Turn& turn) const;
  // Packed pixels to this worker's stretches.
  void Unpack(const Turn& turn) const;
  // `count` panels of the input from panel `first`, as numbers in [0, 1] in desk.input.
  void ConvertInput(const Turn& turn, size_t first, size_t count) const;
  // What layer i > 0 reads.
  const Factor& InputOf(const Turn& turn, size_t i, size_t shard) const;

  // y of layer i, or by rows this worker's parts of it, which FinishForward puts together.
  void Forward(const Turn& turn, size_t i) const;
  void FinishForward(const Turn& turn, size_t i) const;
  void ForwardInput(const Turn& turn, Range shards) const;
  void ForwardSparse(const Turn& turn) const;
  // visit(shard and panel of each) for groups of panels that sparse products take together.
  template <class Visit>
  void ForEachSparseGroup(const Turn& turn, Visit visit) const;
  // Partial products are added as a binary tree over the shards says: its nodes are 2^k shards from
  // a multiple of 2^k, less those that the model does not have. A worker adds up what it has of a
  // node in the buffer of the node's first shard; what remains to add are the roots.
  struct Sink {
    std::span<float> y;
    std::span<float> published = {};  // where it goes, too, when it is a root's sum; or empty
    std::array<const float*, kernels::PanelSum::kMaxDepth> add = {};
    size_t adds = 0;
  };
  // Where the worker puts the partial of shard s, having those of its shards before s.
  Sink SinkOf(const Turn& turn, const Layer& layer, size_t s) const;
  void PlanRoots();
  void PlanStretches();

  // One panel of a product; its operands are those of the job.
  void Product(const kernels::PanelProduct& job, const kernels::Split& a,
               const kernels::Split& b) const;
  // y = start + x b; start null for 0.
  void Multiply(const Turn& turn, const kernels::Split& x, Range depth, Range columns,
                const kernels::Split& b, const float* start, const Sink& sink) const;
  // y = f(z) and d *= f'(z) over one panel.
  void Activate(const Layer& layer, size_t rows, const float* z, float* y) const;
  void MultiplyBySlope(const Layer& layer, size_t rows, const float* z, const float* y,
                       float* d) const;
  // Panel p of what is in the sink, to other threads.
  void Publish(const Turn& turn, const Sink& sink, size_t p) const;
  // One panel of the sum of all shards' partials, by roots.
  void SumPartials(const Turn& turn, const Layer& layer, size_t panel, float* to) const;
  void Loss(const Turn& turn);

  // From the gradient of layer i > 0 to that of its input: the whole of it if split by rows, the
  // parts of this worker's shards if by columns. Those FinishInputGradient puts together.
  void BackwardInput(const Turn& turn, size_t i);
  void FinishInputGradient(const Turn& turn, size_t i);
  void UpdateLayer(const Turn& turn, size_t i);
  void UpdateRows(const Turn& turn, size_t i, const Slice& slice, size_t q, const kernels::Split& x,
                  const kernels::Split& d) const;
  void UpdateSparse(const Turn& turn) const;
  void UpdateBias(const Turn& turn, const Slice& slice, std::span<const float> d) const;
  void Apply(const Turn& turn, const Parameters& parameters, size_t offset, size_t n,
             const float* gradient) const;
  // What follows from the weights: their transposes, and the words of both.
  void Derive(size_t i, const Slice& slice) const;
  void PackWeights(size_t i, const Slice& slice, size_t p, size_t q) const;

  // Terms of the factors of layer i's products (but pixels); 0: they are single precision, as are
  // those that leave out zeros.
  size_t TermsOf(size_t i) const {
    return i == 0 && skip_zeros_ ? 0 : kernels::TermsOf(precision_, i == 0);
  }
  // How many elements or words a product over n elements takes.
  static size_t Depth(size_t terms, size_t n) { return terms == 0 ? n : kernels::Words(n); }
  // Pack what products read of layer i's output and of its gradient, with so many columns.
  void PackOutput(const Turn& turn, size_t i, const Factor& y, size_t columns) const;
  void PackGradient(const Turn& turn, size_t i, const Factor& d, size_t columns) const;
  void PackColumns(const Turn& turn, const Factor& factor, size_t columns) const;

  // visit(index in the flat vector, parameters, index in those, n) for every contiguous stretch.
  template <class Visit>
  void ForEachStretch(Visit visit) const;

  const kernels::KernelSet& kernels_;
  const kernels::PanelKernels& panel_;
  const kernels::SparseKernels& sparse_;
  const kernels::Precision precision_;
  const kernels::PairKernels* const pairs_;  // null with fp32
  const kernels::MathMode math_;
  const kernels::OptimizerKind optimizer_;
  const kernels::LossKind loss_;
  const size_t width_;
  const size_t shards_;
  const size_t max_batch_;
  const size_t features_;                // of the data
  const std::vector<uint32_t> columns_;  // of those the first layer's inputs
  const size_t stride_;                  // from one panel of activations to the next
  const int threads_;
  const bool skip_zeros_;
  // Whether a step has but one sum over shards, so that a thread could begin the next one's while
  // others still read this one's parts.
  const bool meets_after_step_;
  Profile* const profile_;
  std::vector<Layer> layers_;
  std::vector<Stretch> stretches_;
  std::vector<Desk> desks_;  // [threads]
  struct Root {
    Range shards;   // whose partials add up in the buffer of the first
    size_t merges;  // how often sums merge after it
  };
  std::vector<Root> roots_;  // in order
  Arena arena_;
  Signals signals_;
  const std::optional<bool> past_caches_;
  Trial past_caches_trial_;
};

}  // namespace mlp::engine
