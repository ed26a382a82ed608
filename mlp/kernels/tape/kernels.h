// What each instruction set provides for tapes.
#pragma once

#include "mlp/kernels/tape/tape.h"
#include "mlp/kernels/target.h"

namespace mlp::tape {

struct PassTable {
#define MLP_TAPE_NUMBER(T) const Passes<T>& of_##T;
  MLP_TAPE_NUMBERS(MLP_TAPE_NUMBER)
#undef MLP_TAPE_NUMBER
};

template <kernels::Backend backend, Isa isa>
const PassTable& TapeTable();
#define MLP_TARGET(backend, isa) \
  template <>                    \
  const PassTable& TapeTable<kernels::Backend::backend, Isa::isa>();
#include "mlp/kernels/loops_targets.inc"
#undef MLP_TARGET

}  // namespace mlp::tape
