#include "mlp/kernels/loops.h"

#include "mlp/kernels/tape/kernels.h"
#include "mlp/kernels/tape/sweep.h"

namespace mlp::tape {

template <>
const PassTable& TapeTable<kernels::Backend::MLP_TARGET_BACKEND, Isa::MLP_TARGET_ISA>() {
#define MLP_TAPE_NUMBER(T) Sweeper<T>::kPasses,
  static constexpr PassTable kTable = {MLP_TAPE_NUMBERS(MLP_TAPE_NUMBER)};
#undef MLP_TAPE_NUMBER
  return kTable;
}

}  // namespace mlp::tape
