#include "experiments/runner.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "mlp/base/check.h"
#include "mlp/flags/interrupt.h"
#include "mlp/io/atomic_file.h"

extern char** environ;

namespace mlp::experiments {
namespace {

// In the list's file.
constexpr char kDone[] = "done";
constexpr char kBegun[] = "begun";

}  // namespace

std::vector<Entry> ParseEntries(absl::string_view text) {
  std::vector<Entry> entries;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(part, '=');
    MLP_CHECK(fields.size() == 2 || (fields.size() == 3 && fields[2] == "own_data"));
    Entry& entry = entries.emplace_back();
    entry.name = std::string(fields[0]);
    MLP_CHECK(absl::SimpleAtod(fields[1], &entry.weight) && entry.weight > 0);
    entry.own_data = fields.size() == 3;
  }
  return entries;
}

absl::StatusOr<std::vector<Entry>> Select(const std::vector<Entry>& entries,
                                          const std::vector<std::string>& only) {
  const auto contains = [](const auto& items, const std::string& name, auto get) {
    return std::any_of(items.begin(), items.end(),
                       [&](const auto& item) { return get(item) == name; });
  };
  for (const std::string& name : only) {
    if (contains(entries, name, [](const Entry& entry) { return entry.name; })) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "--only: expected some of ",
        absl::StrJoin(entries, ", ",
                      [](std::string* out, const Entry& e) { absl::StrAppend(out, e.name); }),
        ", found \"", name, "\""));
  }
  std::vector<Entry> selected;
  for (const Entry& entry : entries) {
    if (only.empty() || contains(only, entry.name, [](const std::string& name) { return name; })) {
      selected.push_back(entry);
    }
  }
  return selected;
}

double ShareOf(const std::vector<Entry>& entries, size_t next, double left_s) {
  double weights = 0;
  for (size_t i = next; i < entries.size(); ++i) weights += entries[i].weight;
  return std::max(left_s, 0.0) * entries[next].weight / weights;
}

absl::StatusOr<Finished> RunProgram(const std::vector<std::string>& argv) {
  int ends[2];
  if (pipe(ends) != 0) return io::ErrnoError("make a pipe for", argv[0], errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  // A group of its own: what a terminal sends to this one would reach it a second time.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  const int error =
      posix_spawn(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return io::ErrnoError("start", argv[0], error);
  }
  flags::PassInterruptsTo(child);
  Finished finished;
  char buffer[4096];
  while (true) {
    const ssize_t n = read(ends[0], buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    finished.output.append(buffer, static_cast<size_t>(n));
  }
  close(ends[0]);
  // It has ended when it can be waited for; only then may another process get its id.
  siginfo_t ended;
  while (waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  flags::PassInterruptsTo(0);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

DoneList::DoneList(std::string path, std::string question, bool resume)
    : path_(std::move(path)), question_(std::move(question)) {
  if (resume) {
    std::ifstream file(path_);
    std::string line;
    if (std::getline(file, line)) was_of_another_ = line != question_;
    while (!was_of_another_ && std::getline(file, line)) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      double seconds = 0;
      // A torn last line is none.
      if (words.size() != 3 || !absl::SimpleAtod(words[1], &seconds)) continue;
      lines_.push_back({words[0], seconds, words[2] == kDone});
    }
  }
  if (!resume || was_of_another_) Remove();
}

bool DoneList::Contains(absl::string_view name) const {
  return std::ranges::any_of(lines_,
                             [&](const Line& line) { return line.is_done && line.name == name; });
}

double DoneList::Seconds() const {
  double seconds = 0;
  for (const Line& line : lines_) seconds += line.seconds;
  return seconds;
}

double DoneList::SecondsOfBegun(absl::string_view name) const {
  double seconds = 0;
  for (const Line& line : lines_) {
    if (!line.is_done && line.name == name) seconds += line.seconds;
  }
  return seconds;
}

void DoneList::Add(const std::string& name, double seconds, bool is_done) {
  std::ofstream file(path_, std::ios::app);
  if (lines_.empty()) file << question_ << '\n';
  file << absl::StrFormat("%s %.3f %s\n", name, seconds, is_done ? kDone : kBegun);
  lines_.push_back({name, seconds, is_done});
}

void DoneList::Remove() const {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

std::string Result::status() const {
  if (exit_code == 0) return "ok";
  if (exit_code == flags::kInterruptedExitCode) return "interrupted";
  // As RunProgram says of who was ended by a signal.
  if (exit_code > 128) return absl::StrCat("killed (", exit_code - 128, ")");
  return absl::StrCat("failed (", exit_code, ")");
}

std::string ResultsText(const std::vector<Result>& results) {
  std::string text =
      absl::StrFormat("%-22s %-12s %8s  %s\n", "experiment", "status", "seconds", "record");
  for (const Result& result : results) {
    absl::StrAppendFormat(&text, "%-22s %-12s %8.1f  %s\n", result.name, result.status(),
                          result.seconds, result.record.empty() ? "-" : result.record);
  }
  return text;
}

}  // namespace mlp::experiments
