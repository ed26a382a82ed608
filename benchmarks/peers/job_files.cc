#include "benchmarks/peers/job_files.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "mlp/base/status_macros.h"
#include "mlp/data/batcher.h"
#include "mlp/data/idx.h"
#include "mlp/io/atomic_file.h"
#include "mlp/io/directories.h"
#include "mlp/model/model.h"

namespace mlp::peers {
namespace {

template <class T>
absl::string_view Bytes(std::span<const T> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
}

absl::Status WritePart(const data::Dataset& dataset, const data::Examples& part,
                       const std::string& prefix) {
  const auto size = static_cast<uint32_t>(part.size);
  const uint32_t shape[] = {size, static_cast<uint32_t>(dataset.rows),
                            static_cast<uint32_t>(dataset.cols)};
  MLP_RETURN_IF_ERROR(data::WriteIdx(prefix + "-images-idx3-ubyte", shape, part.pixels.span()));
  return data::WriteIdx(prefix + "-labels-idx1-ubyte", std::span(&size, 1), part.labels.span());
}

}  // namespace

absl::StatusOr<JobFiles> JobFiles::Write(const data::Dataset& dataset, const model::ModelSpec& spec,
                                         uint64_t seed, uint32_t epochs) {
  MLP_ASSIGN_OR_RETURN(std::string directory, io::TemporaryDirectory());
  directory += "/mlp-peers-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) {
    return io::ErrnoError("create the directory", directory, errno);
  }
  JobFiles files(directory);
  MLP_RETURN_IF_ERROR(WritePart(dataset, dataset.train, directory + "/train"));
  MLP_RETURN_IF_ERROR(WritePart(dataset, dataset.test, directory + "/t10k"));

  std::vector<uint32_t> rows(dataset.train.size);
  std::iota(rows.begin(), rows.end(), 0);
  data::Batcher batcher(rows, rows.size(), data::LastBatch::kKeep, seed);
  std::string order;
  for (uint32_t epoch = 1; epoch <= epochs; ++epoch) {
    batcher.StartEpoch(epoch);
    order.append(std::string(Bytes(batcher.Next())));
  }
  MLP_RETURN_IF_ERROR(io::WriteFileAtomically(files.order(), order));

  const model::Model model(spec, seed);
  MLP_RETURN_IF_ERROR(io::WriteFileAtomically(files.weights(), Bytes(model.parameters())));
  return files;
}

JobFiles::~JobFiles() {
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

}  // namespace mlp::peers
