// Times the panel and sparse kernels of the tensor-parallel engine on one thread. All panels of a
// layer, in the engine's order; the target has to have them (kernels::FindPanelKernels).
#pragma once

#include <cstddef>

#include "experiments/harness/kernel_timer.h"
#include "experiments/harness/session.h"
#include "mlp/kernels/context.h"
#include "mlp/record/record.h"

namespace mlp::experiments {

// y = x W.
void TimePanelProduct(const Session& session, const kernels::Target& target,
                      const LayerShape& shape, record::RunRecord& run);

// The step of Adam with the weight gradient x^T d.
void TimePanelUpdate(const Session& session, const kernels::Target& target, const LayerShape& shape,
                     record::RunRecord& run);

// The forward product of a first layer of `units` columns, and the step of Adam with its weight
// gradient, by the pixels of the first `batch` training samples that are not 0. Flops are those of
// what is there.
enum class SparseOp { kProduct, kUpdate };
void TimeSparse(const Session& session, const kernels::Target& target, SparseOp op, size_t batch,
                size_t units, record::RunRecord& run);

}  // namespace mlp::experiments
