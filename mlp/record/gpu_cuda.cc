#include <cuda_runtime_api.h>

#include "absl/strings/str_cat.h"
#include "mlp/record/gpu.h"

namespace mlp::record {
namespace {

// CUDA's versions are 1000 * major + 10 * minor.
std::string VersionText(int version) {
  return absl::StrCat(version / 1000, ".", version % 1000 / 10);
}

}  // namespace

std::optional<Gpu> ReadGpu() {
  int count = 0;
  cudaDeviceProp properties;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0 ||
      cudaGetDeviceProperties(&properties, 0) != cudaSuccess) {
    return std::nullopt;
  }
  int driver = 0;
  int runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  return Gpu{.name = properties.name,
             .compute_capability = absl::StrCat(properties.major, ".", properties.minor),
             .memory_bytes = properties.totalGlobalMem,
             .driver = VersionText(driver),
             .runtime = VersionText(runtime)};
}

}  // namespace mlp::record
