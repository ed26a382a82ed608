// What every kernel call gets first: the kernels to use, the accuracy wanted, and this thread's
// place in its team.
//
// Calls are SPMD: all workers of a team make the same call, each does its own share, and the caller
// puts a Sync between calls of which one reads what another worker wrote.
#pragma once

#include "mlp/base/team.h"
#include "mlp/kernels/target.h"

namespace mlp {

class ProfileLane;

}  // namespace mlp

namespace mlp::kernels {

struct ElementwiseKernels;
struct GemmKernels;
struct GemvKernels;
struct PairKernels;
struct PanelKernels;
struct ReduceKernels;
struct SoftmaxKernels;
struct SparseKernels;
struct UpdateKernels;

// One implementation of every family. See kernels.h for how a target comes to its set.
struct KernelSet {
  Target target;
  const ElementwiseKernels* elementwise;
  const GemmKernels* gemm;
  const GemvKernels* gemv;    // null where the backend has none
  const PairKernels* pairs;   // likewise
  const PanelKernels* panel;  // likewise
  const ReduceKernels* reduce;
  const SoftmaxKernels* softmax;
  const SparseKernels* sparse;  // likewise
  const PairKernels* tiles;     // pairs by the CPU's tiles; null where it has none
  const UpdateKernels* update;
};

struct Context {
  const KernelSet* kernels = nullptr;
  MathMode math = MathMode::kFast;
  Worker worker;
  ProfileLane* lane = nullptr;  // where this thread notes what it does; null: nowhere

  void Sync() const { worker.Sync(); }
};

}  // namespace mlp::kernels
