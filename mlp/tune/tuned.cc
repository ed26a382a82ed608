#include "mlp/tune/tuned.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
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

// Whether it is known to be that of a machine that was too busy, and that was a while ago: it is
// measured again now and then, but not by every training on a machine that is always busy.
bool IsWorthAnotherTry(const Key& key, const Tuning& tuning) {
  if (tuning.steady) return false;
  const absl::StatusOr<std::string> path = CacheFile(key);
  if (!path.ok()) return false;
  std::error_code error;
  const auto kept = std::filesystem::last_write_time(*path, error);
  return !error && std::filesystem::file_time_type::clock::now() - kept > std::chrono::hours(1);
}

}  // namespace

bool IsOff() {
  const char* value = std::getenv("MLP_TUNE");
  return value != nullptr && absl::EqualsIgnoreCase(value, "off");
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
  if (cached.ok() && !IsWorthAnotherTry(key, *cached)) return *cached;
  // Another build's is no news; what should not be there is.
  if (absl::IsInvalidArgument(cached.status())) {
    absl::StrAppend(note, cached.status().message(), "; it is measured anew: ");
  }
  const Timer timer;
  const Tuning tuning = TuneThisMachine();
  absl::StrAppendFormat(note, "measured this machine in %.1f s: ", timer.Seconds());
  absl::StrAppend(note, Text(tuning));
  // Kept even if it was too busy: once an hour is often enough to wait for it.
  const absl::Status saved = SaveFor(key, tuning);
  if (!saved.ok()) absl::StrAppend(note, "; not kept: ", saved.message());
  return tuning;
}

}  // namespace mlp::tune
