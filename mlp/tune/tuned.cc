#include "mlp/tune/tuned.h"

#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "mlp/base/timer.h"
#include "mlp/tune/cache.h"
#include "mlp/tune/machine.h"

namespace mlp::tune {

bool IsOff() {
  const char* value = std::getenv("MLP_TUNE");
  return value != nullptr && absl::string_view(value) == "off";
}

std::optional<Tuning> Cached() {
  if (IsOff()) return std::nullopt;
  const Key key = ThisKey();
  const auto tuning = Load(CacheFile(key), key, ThisMachine());
  return tuning.ok() ? std::optional(*tuning) : std::nullopt;
}

std::optional<Tuning> CachedOrMeasured(std::string* note) {
  if (IsOff()) return std::nullopt;
  const Key key = ThisKey();
  const std::string path = CacheFile(key);
  const auto cached = Load(path, key, ThisMachine());
  if (cached.ok()) return *cached;
  // Another build's is no news; what should not be there is.
  if (absl::IsInvalidArgument(cached.status())) {
    absl::StrAppend(note, cached.status().message(), ": ");
  }
  const Timer timer;
  const Tuning tuning = TuneThisMachine();
  absl::StrAppendFormat(note, "measured this machine in %.1f s: ", timer.Seconds());
  absl::StrAppend(note, Text(tuning));
  // Kept even if it was too busy: once is enough to wait for it.
  const absl::Status saved =
      path.empty() ? absl::NotFoundError("no HOME and no XDG_CACHE_HOME to keep it in")
                   : Save(path, key, tuning);
  if (!saved.ok()) absl::StrAppend(note, "; not kept: ", saved.message());
  return tuning;
}

}  // namespace mlp::tune
