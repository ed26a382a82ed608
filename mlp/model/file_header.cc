#include "mlp/model/file_header.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "mlp/base/status_macros.h"

namespace mlp::model {
namespace {

using Json = nlohmann::json;

template <class T>
void Put(std::array<char, kSizesBytes>& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

template <class T>
T Get(const std::array<char, kSizesBytes>& bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// Reads members of one object; the first that is missing or of another type is the error.
class Reader {
 public:
  Reader(const Json& parent, const char* name) : prefix_(absl::StrCat(name, ".")) {
    const auto found = parent.find(name);
    if (found != parent.end() && found->is_object()) {
      object_ = &*found;
    } else {
      status_ = Wrong(name, "an object", found == parent.end() ? "nothing" : found->type_name());
    }
  }

  void Text(const char* key, std::string* to) {
    if (const Json* value = Member(key, &Json::is_string, "a string")) {
      *to = value->get_ref<const std::string&>();
    }
  }
  template <class T>
  void Count(const char* key, T* to) {
    if (const Json* value = Member(key, &Json::is_number_unsigned, "a whole number from 0")) {
      const uint64_t number = value->get<uint64_t>();
      // What counts steps and samples does not come near this, and may be added to safely.
      if (number < uint64_t{1} << 62) {
        *to = static_cast<T>(number);
      } else {
        status_ = Wrong(prefix_ + key, "a number below 2^62", absl::StrCat(number));
      }
    }
  }
  void Number(const char* key, double* to) {
    if (const Json* value = Member(key, &Json::is_number, "a number")) *to = value->get<double>();
  }
  void Texts(Settings* to) {
    if (!status_.ok()) return;
    for (const auto& [key, value] : object_->items()) {
      if (!value.is_string()) {
        status_ = Wrong(prefix_ + key, "a string", value.type_name());
        return;
      }
      (*to)[key] = value.get_ref<const std::string&>();
    }
  }

  const absl::Status& status() const { return status_; }

  static absl::Status Wrong(absl::string_view what, absl::string_view expected,
                            absl::string_view found) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " in the header: expected ", expected, ", found ", found));
  }

 private:
  using Is = bool (Json::*)() const noexcept;
  const Json* Member(const char* key, Is is, absl::string_view expected) {
    if (!status_.ok()) return nullptr;
    const auto found = object_->find(key);
    if (found != object_->end() && ((*found).*is)()) return &*found;
    status_ =
        Wrong(prefix_ + key, expected, found == object_->end() ? "nothing" : found->type_name());
    return nullptr;
  }

  const std::string prefix_;
  const Json* object_ = nullptr;
  absl::Status status_;
};

}  // namespace

std::array<char, kSizesBytes> Encode(const FileSizes& sizes) {
  std::array<char, kSizesBytes> bytes = {};
  std::memcpy(bytes.data(), kModelFile.prefix.data(), kModelFile.prefix.size());
  Put(bytes, 8, sizes.version);
  Put(bytes, 12, sizes.header_bytes);
  Put(bytes, 16, sizes.parameters);
  Put(bytes, 24, sizes.state_arrays);
  return bytes;
}

FileSizes Decode(const std::array<char, kSizesBytes>& bytes) {
  return {.version = Get<uint32_t>(bytes, 8),
          .header_bytes = Get<uint32_t>(bytes, 12),
          .parameters = Get<uint64_t>(bytes, 16),
          .state_arrays = Get<uint32_t>(bytes, 24)};
}

std::string HeaderText(const ModelSpec& spec, const ModelInfo& info) {
  const DatasetIdentity& dataset = info.dataset;
  const TrainingState& training = info.training;
  const Json header = {{"model", Format(spec)},
                       {"dataset",
                        {{"name", dataset.name},
                         {"sha256", dataset.sha256},
                         {"rows", dataset.rows},
                         {"cols", dataset.cols},
                         {"classes", dataset.classes}}},
                       {"settings", info.settings},
                       {"training",
                        {{"epochs_done", training.epochs_done},
                         {"steps_done", training.steps_done},
                         {"loss_sum", training.loss_sum},
                         {"hits", training.hits},
                         {"samples", training.samples},
                         {"seconds", training.seconds},
                         {"optimizer_steps", training.optimizer_steps}}}};
  // Names of files need not be UTF-8.
  return header.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::Status ParseHeader(absl::string_view text, uint32_t version, ModelSpec* spec,
                         ModelInfo* info) {
  const Json header = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!header.is_object()) {
    return Reader::Wrong("text", "a JSON object",
                         header.is_discarded() ? "no JSON" : header.type_name());
  }
  const auto model = header.find("model");
  if (model == header.end() || !model->is_string()) {
    return Reader::Wrong("model", "a string", "none");
  }
  MLP_ASSIGN_OR_RETURN(*spec, ParseModelSpec(model->get_ref<const std::string&>()));
  if (version == 1) spec->loss = kernels::LossKind::kSoftmaxCrossEntropy;

  Reader dataset(header, "dataset");
  dataset.Text("name", &info->dataset.name);
  dataset.Text("sha256", &info->dataset.sha256);
  dataset.Count("rows", &info->dataset.rows);
  dataset.Count("cols", &info->dataset.cols);
  dataset.Count("classes", &info->dataset.classes);
  MLP_RETURN_IF_ERROR(dataset.status());

  Reader settings(header, "settings");
  settings.Texts(&info->settings);
  MLP_RETURN_IF_ERROR(settings.status());

  TrainingState& state = info->training;
  Reader training(header, "training");
  training.Count("epochs_done", &state.epochs_done);
  training.Count("steps_done", &state.steps_done);
  training.Number("loss_sum", &state.loss_sum);
  training.Count("hits", &state.hits);
  training.Count("samples", &state.samples);
  training.Number("seconds", &state.seconds);
  training.Count("optimizer_steps", &state.optimizer_steps);
  return training.status();
}

}  // namespace mlp::model
