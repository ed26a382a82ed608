// The command line, the same way in every binary: `--long_name=value`, hyphen and underscore alike,
// an unknown flag names the nearest known one, --help and --version are there by themselves.
//
//   flags::Flags flags("mlp train", "Trains a model.");
//   flags.Group("Training");
//   flags.Int("epochs", &options.epochs, {.help = "passes over the data", .min = 1});
//   flags.Choice("math", &math, {"fast", "exact"}, {.help = "functions' accuracy"});
//   flags.Example("mlp train --data=digits --epochs=3");
//   if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;
//
// A flag is given once; only one that takes a list may be repeated, which adds to the list.
//
// A target's value at registration is the flag's default, and targets are written only when the
// whole command line is right.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::flags {

struct IntOptions {
  std::string help = "";
  std::string unit = "";
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
};

struct DoubleOptions {
  std::string help = "";
  std::string unit = "";
  double min = std::numeric_limits<double>::lowest();  // NaN and infinities are never valid.
  double max = std::numeric_limits<double>::max();
  bool below_max = false;  // max itself is not valid.
};

struct TextOptions {
  std::string help = "";
  std::string value_name = "TEXT";  // In --help: --out=FILE
  bool may_be_empty = true;  // else "--out=", as of a shell's variable that is not set, is refused
};

struct PositionalOptions {
  std::string help = "";
  std::string value_name = "FILE";
  size_t min = 0;
  size_t max = std::numeric_limits<size_t>::max();
};

class Flags {
 public:
  // The program as a user calls it ("mlp train", "compare") and its purpose in one line.
  Flags(std::string program, std::string purpose);

  // Flags registered from here on stand under this title in --help.
  void Group(std::string title);

  void Bool(const std::string& name, bool* target, const std::string& help);
  template <std::integral T>
  void Int(const std::string& name, T* target, IntOptions options) {
    // The target's own type bounds the value, too.
    if (!std::in_range<T>(options.min)) options.min = std::numeric_limits<T>::min();
    if (!std::in_range<T>(options.max)) {
      options.max = static_cast<int64_t>(std::numeric_limits<T>::max());
    }
    AddInt(name, std::to_string(*target), options,
           [target](int64_t value) { *target = static_cast<T>(value); });
  }
  void Double(const std::string& name, double* target, const DoubleOptions& options);
  void String(const std::string& name, std::string* target, const TextOptions& options);
  // One of `choices`, none of them empty.
  void Choice(const std::string& name, std::string* target, std::vector<std::string> choices,
              const TextOptions& options);
  // Values between commas; "" is the empty list.
  void StringList(const std::string& name, std::vector<std::string>* target,
                  const TextOptions& options);
  void IntList(const std::string& name, std::vector<int64_t>* target, const IntOptions& options);

  // What stands on the command line without a flag. Without this call nothing may.
  void Positional(std::vector<std::string>* target, PositionalOptions options);

  // A command that works as it stands.
  void Example(std::string command);

  // Reads the command line. A value means: end main with it. That is 0 after --help or --version
  // (printed on stdout) and 2 after an error (printed on stderr).
  std::optional<int> Parse(int argc, const char* const* argv);

  // The same without output: arguments without the program's name, and settings from elsewhere
  // ("--name=value"), which hold where no argument says otherwise.
  enum class Action { kRun, kHelp, kVersion };
  absl::StatusOr<Action> Read(const std::vector<std::string>& arguments,
                              const std::vector<std::string>& settings = {});

  // Whether an argument gave it, after Parse or Read.
  bool Given(absl::string_view name) const;

  std::string Help() const;

  // Whether there are three examples and this command line takes each of them. Writes targets.
  // Internal: an example is wrong, which --help takes for a bug.
  absl::Status CheckExamples();

 private:
  using Store = std::function<void()>;  // Writes the target; runs after everything was checked.

  struct Flag {
    std::string name = "";
    std::string group = "";
    std::string value = "";  // What stands for it in --help: "FILE", "a|b"; "" for a Bool.
    std::string help = "";
    std::string default_text = "";
    std::function<absl::StatusOr<Store>(const std::string&)> read = nullptr;
    bool is_list = false;
    bool given = false;
  };

  void Add(Flag flag);
  void AddInt(const std::string& name, const std::string& default_text, const IntOptions& options,
              std::function<void(int64_t)> store);
  const Flag* Find(absl::string_view name) const;
  absl::StatusOr<std::vector<std::string>> Normalize(
      const std::vector<std::string>& arguments) const;

  std::string program_;
  std::string purpose_;
  std::string group_ = "Flags";
  std::vector<Flag> flags_;
  std::vector<std::string> examples_;
  std::vector<std::string>* positional_ = nullptr;
  PositionalOptions positional_options_ = {.max = 0};
};

}  // namespace mlp::flags
