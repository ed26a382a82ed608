// What --help prints.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mlp/flags/flags.h"

namespace mlp::flags {
namespace {

// As a shell would split it, with double quotes alone.
std::vector<std::string> Words(absl::string_view text) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (const char c : text) {
    if (c == ' ' && !quoted) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (c == '"') {
      quoted = !quoted;
    } else {
      words.back() += c;
    }
  }
  return words;
}

}  // namespace

absl::Status Flags::CheckExamples() {
  constexpr size_t kMinExamples = 3;
  if (examples_.size() < kMinExamples) {
    return absl::InternalError(absl::StrCat(program_, ": expected at least ", kMinExamples,
                                            " examples, found ", examples_.size()));
  }
  for (const std::string& example : examples_) {
    // What follows the program: its own name, or a command of Bazel that ends in "--".
    std::vector<std::string> words = Words(example);
    const bool by_bazel = absl::StartsWith(example, "bazel run //");
    const size_t taken = by_bazel ? std::min<size_t>(4, words.size()) : Words(program_).size();
    if (by_bazel ? words.size() > 3 && words[3] != "--" : !absl::StartsWith(example, program_)) {
      return absl::InternalError(absl::StrCat(example, ": expected ", program_, " and its flags"));
    }
    words.erase(words.begin(), words.begin() + static_cast<ptrdiff_t>(taken));
    if (const auto action = Read(words); !action.ok()) {
      return absl::InternalError(absl::StrCat(example, ": ", action.status().message()));
    }
  }
  return absl::OkStatus();
}

std::string Flags::Help() const {
  std::string text = absl::StrCat(program_, ": ", purpose_, "\n\nUsage: ", program_, " [flags]");
  const PositionalOptions& positional = positional_options_;
  if (positional.max > 0) {
    const std::string one =
        positional.min > 0 ? positional.value_name : absl::StrCat("[", positional.value_name, "]");
    absl::StrAppend(&text, " ", one, positional.max > 1 ? "..." : "");
  }
  absl::StrAppend(&text, "\n");
  if (!positional.help.empty()) {
    absl::StrAppend(&text, "\n", positional.value_name, ": ", positional.help, "\n");
  }
  std::vector<Flag> shown = flags_;
  shown.push_back({.name = "help", .group = "Common", .help = "this text"});
  shown.push_back({.name = "version", .group = "Common", .help = "version and commit"});
  std::vector<std::string> groups;
  for (const Flag& flag : shown) {
    if (std::find(groups.begin(), groups.end(), flag.group) == groups.end()) {
      groups.push_back(flag.group);
    }
  }
  constexpr size_t kHelpColumn = 30;
  for (const std::string& group : groups) {
    absl::StrAppend(&text, "\n", group, "\n");
    for (const Flag& flag : shown) {
      if (flag.group != group) continue;
      std::string left = absl::StrCat("  --", flag.name, flag.value.empty() ? "" : "=", flag.value);
      left += left.size() + 2 > kHelpColumn ? "\n" + std::string(kHelpColumn, ' ')
                                            : std::string(kHelpColumn - left.size(), ' ');
      absl::StrAppend(&text, left, flag.help);
      if (!flag.default_text.empty()) absl::StrAppend(&text, " [", flag.default_text, "]");
      absl::StrAppend(&text, "\n");
    }
  }
  if (!examples_.empty()) absl::StrAppend(&text, "\nExamples\n");
  for (const std::string& example : examples_) absl::StrAppend(&text, "  ", example, "\n");
  return text;
}

}  // namespace mlp::flags
