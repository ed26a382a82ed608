#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <span>

#include "absl/strings/str_cat.h"
#include "mlp/base/aligned_buffer.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/atomic_file.h"
#include "mlp/model/file_header.h"
#include "mlp/model/model_file.h"

namespace mlp::model {
namespace {

void Append(std::string& bytes, std::span<const float> numbers) {
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
}

std::string Contents(const Model& model, const ModelInfo& info) {
  const std::string header = HeaderText(model.spec(), info);
  const FileSizes sizes = {
      .header_bytes = static_cast<uint32_t>(header.size()),
      .parameters = model.parameters().size(),
      .state_arrays = static_cast<uint32_t>(info.training.optimizer_states.size())};
  std::string bytes;
  bytes.reserve(FileBytes(sizes));
  const auto encoded = Encode(sizes);
  bytes.append(encoded.begin(), encoded.end());
  bytes += header;
  Append(bytes, model.parameters());
  for (const AlignedBuffer<float>& state : info.training.optimizer_states) {
    Append(bytes, state.span());
  }
  const auto checksum =
      static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  return bytes;
}

}  // namespace

absl::Status SaveModel(const std::string& path, const Model& model, const ModelInfo& info,
                       bool force) {
  const std::span<const float> parameters = model.parameters();
  const auto bad = std::ranges::find_if_not(parameters, [](float x) { return std::isfinite(x); });
  if (bad != parameters.end()) {
    return absl::OutOfRangeError(absl::StrCat(
        path, ": parameter ", bad - parameters.begin(), ": expected a finite number, found ", *bad,
        "; training diverged: lower --learning_rate or set --clip_norm"));
  }
  for (const AlignedBuffer<float>& state : info.training.optimizer_states) {
    MLP_CHECK_EQ(state.size(), parameters.size());
  }
  MLP_RETURN_IF_ERROR(io::CheckReplaceable(path, kModelFile, force));
  try {
    return io::WriteFileAtomically(path, Contents(model, info));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat(path, ": file: expected memory for ",
                                                     parameters.size(),
                                                     " parameters, found less; free memory"));
  }
}

}  // namespace mlp::model
