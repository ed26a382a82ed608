#include "mlp/record/partial.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/atomic_file.h"
#include "mlp/record/json.h"
#include "mlp/record/keys.h"

namespace mlp::record {
namespace {

constexpr char kRemoveOrAnew[] = "remove the file, or run without --resume";

// Newest first.
std::vector<std::string> PartialFiles(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (absl::EndsWith(name, kPartialSuffix)) names.push_back(name);
  }
  std::sort(names.begin(), names.end(),
            [](const std::string& a, const std::string& b) { return IsOlder(b, a); });
  return names;
}

// The head of the file; nothing if its first line is torn, or that of a record of another version.
// DataLoss: it is damaged.
absl::StatusOr<std::optional<Record>> ReadHead(absl::string_view text, const std::string& path) {
  const size_t end = text.find('\n');
  if (end == absl::string_view::npos) return std::nullopt;
  const auto json = ParseJson(text.substr(0, end), absl::StrCat(path, ": line 1"), kRemoveOrAnew);
  if (!json.ok()) return absl::DataLossError(json.status().message());
  auto head = RecordFromJson(*json, path);
  if (!head.ok()) return std::nullopt;
  return *std::move(head);
}

// Head and runs; *used is where the last whole line ends. A line is whole when it ends.
absl::StatusOr<Record> ReadAll(absl::string_view text, const Record& head, const std::string& path,
                               size_t* used) {
  Json json = ToJson(head);
  *used = text.find('\n') + 1;
  for (int line = 2; *used < text.size(); ++line) {
    const size_t end = text.find('\n', *used);
    if (end == absl::string_view::npos) break;
    const std::string place = absl::StrCat(path, ": line ", line);
    auto run = ParseJson(text.substr(*used, end - *used), place, kRemoveOrAnew);
    if (!run.ok()) return absl::DataLossError(run.status().message());
    json[keys::kRuns].push_back(*std::move(run));
    *used = end + 1;
  }
  return RecordFromJson(json, path);
}

}  // namespace

bool MayContinue(const Record& started, const Record& head) {
  std::map<std::string, Scalar> config = started.config;
  for (const char* key : keys::kChosen) {
    if (!head.config.contains(key)) config.erase(key);
  }
  return started.experiment == head.experiment && config == head.config &&
         started.commit == head.commit && started.dirty == head.dirty &&
         started.build == head.build && started.machine.id == head.machine.id;
}

absl::StatusOr<std::optional<Partial>> FindPartial(const std::string& directory,
                                                   const Record& head) {
  std::optional<Partial> without_runs;
  for (const std::string& name : PartialFiles(directory)) {
    const std::string path = absl::StrCat(directory, "/", name);
    io::FileDescriptor fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
    // Another process may be writing it: not ours, then.
    if (!fd.ok() || flock(fd.get(), LOCK_EX | LOCK_NB) != 0) continue;
    const auto text = io::ReadFile(path, kMaxFileBytes);
    if (!text.ok()) continue;
    MLP_ASSIGN_OR_RETURN(const std::optional<Record> started, ReadHead(*text, path));
    if (!started || !MayContinue(*started, head)) continue;
    const std::string done = absl::StrCat(directory, "/", started->id, kRecordSuffix);
    if (std::filesystem::exists(done)) continue;  // Killed just before it could remove this file.
    size_t used = 0;
    MLP_ASSIGN_OR_RETURN(Record record, ReadAll(*text, *started, path, &used));
    if (ftruncate(fd.get(), static_cast<off_t>(used)) != 0 || lseek(fd.get(), 0, SEEK_END) < 0) {
      return io::ErrnoError("cut off its torn last line", path, errno);
    }
    Partial partial = {.fd = std::move(fd), .record = std::move(record)};
    if (!partial.record.runs.empty()) return partial;
    if (!without_runs) without_runs = std::move(partial);
  }
  return without_runs;
}

}  // namespace mlp::record
