// A model in a file: what it is, what it was trained on and how far, and its parameters.
//
//   byte  0  "MLPMODEL"
//         8  uint32 format version: 2 (1 is read, too)
//        12  uint32 n, bytes of the header
//        16  uint64 p, number of parameters
//        24  uint32 s, number of arrays of optimizer state
//        28  header, n bytes of JSON: model, dataset, settings, training
//      28+n  (1 + s) * p float32: the parameters, then the optimizer's state
//   the end  uint32 CRC-32 (that of zlib) of all bytes before it
//
// All numbers are little-endian. Nothing in it depends on time or place, so the same training gives
// the same bytes.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mlp/io/replace.h"
#include "mlp/model/model.h"
#include "mlp/model/training_state.h"

namespace mlp::model {

inline constexpr io::FileKind kModelFile = {"model file", "MLPMODEL"};

// Which data a model was trained on, so that what it is used on can be compared.
struct DatasetIdentity {
  std::string name;
  std::string sha256;  // hex
  size_t rows = 0;     // of a picture
  size_t cols = 0;
  size_t classes = 0;

  bool operator==(const DatasetIdentity&) const = default;
};

// Flags by name, as text: what the training was asked to do.
using Settings = std::map<std::string, std::string>;

struct ModelInfo {
  DatasetIdentity dataset;
  Settings settings;
  TrainingState training;
};

struct SavedModel {
  Model model;
  ModelInfo info;
};

// The file appears whole or not at all. An existing file is replaced if it is a model file, or by
// `force`. Parameters that are not finite are OutOfRange: such a model is of no use. Other errors:
// those of io::CheckReplaceable and io::WriteFileAtomically; ResourceExhausted.
absl::Status SaveModel(const std::string& path, const Model& model, const ModelInfo& info,
                       bool force = false);

// Errors name the file, the byte, what was expected and found, and the remedy: NotFound,
// FailedPrecondition (a directory or the like, or of a newer version), InvalidArgument (not a model
// file), DataLoss (truncated, longer than it should be, damaged), ResourceExhausted. Every size is
// compared with the file's length before memory for it is taken.
absl::StatusOr<SavedModel> LoadModel(const std::string& path);

}  // namespace mlp::model
