#include "mlp/tune/tuned.h"

#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "mlp/base/status_macros.h"
#include "mlp/base/timer.h"
#include "mlp/tune/cache.h"
#include "mlp/tune/machine.h"

namespace mlp::tune {
namespace {

absl::StatusOr<Tuning> LoadFor(const Key& key) {
  MLP_ASSIGN_OR_RETURN(const std::string path, CacheFile(key));
  return Load(path, key, ThisMachine());
}

absl::Status SaveFor(const Key& key, const Tuning& tuning) {
  MLP_ASSIGN_OR_RETURN(const std::string path, CacheFile(key));
  return Save(path, key, tuning);
}

}  // namespace

bool IsOff() {
  const char* value = std::getenv("MLP_TUNE");
  return value != nullptr && absl::string_view(value) == "off";
}

std::optional<Tuning> Cached() {
  if (IsOff()) return std::nullopt;
  const auto tuning = LoadFor(ThisKey());
  return tuning.ok() ? std::optional(*tuning) : std::nullopt;
}

std::optional<Tuning> CachedOrMeasured(std::string* note) {
  if (IsOff()) return std::nullopt;
  const Key key = ThisKey();
  const auto cached = LoadFor(key);
  if (cached.ok()) return *cached;
  // Another build's is no news; what should not be there is.
  if (absl::IsInvalidArgument(cached.status())) {
    absl::StrAppend(note, cached.status().message(), "; it is measured anew: ");
  }
  const Timer timer;
  const Tuning tuning = TuneThisMachine();
  absl::StrAppendFormat(note, "measured this machine in %.1f s: ", timer.Seconds());
  absl::StrAppend(note, Text(tuning));
  // Kept even if it was too busy: once is enough to wait for it.
  const absl::Status saved = SaveFor(key, tuning);
  if (!saved.ok()) absl::StrAppend(note, "; not kept: ", saved.message());
  return tuning;
}

}  // namespace mlp::tune
