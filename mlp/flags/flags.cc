#include "mlp/flags/flags.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cxxopts.hpp>
#include <exception>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/flags/nearest.h"
#include "mlp/flags/program.h"
#include "mlp/version/version.h"

namespace mlp::flags {
namespace {

absl::Status Expected(absl::string_view what, absl::string_view found) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", what, ", found \"", found, "\""));
}

absl::StatusOr<int64_t> ReadInt(absl::string_view text, const IntOptions& options) {
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value) && value >= options.min && value <= options.max) return value;
  // A bound that is the type's is worth a word only to who goes beyond it.
  double size = 0;
  const bool is_beyond = absl::SimpleAtod(text, &size) && size > 0x1p62;
  if (options.max == std::numeric_limits<int64_t>::max() && !is_beyond) {
    return Expected(absl::StrCat("an integer of at least ", options.min), text);
  }
  return Expected(absl::StrCat("an integer from ", options.min, " to ", options.max), text);
}

absl::StatusOr<double> ReadDouble(absl::string_view text, const DoubleOptions& options) {
  double value = 0;
  if (absl::SimpleAtod(text, &value) && std::isfinite(value) && value >= options.min &&
      (options.below_max ? value < options.max : value <= options.max)) {
    return value;
  }
  if (options.max == std::numeric_limits<double>::max()) {
    return Expected(absl::StrCat("a finite number of at least ", options.min), text);
  }
  return Expected(absl::StrCat("a number from ", options.min,
                               options.below_max ? " to below " : " to ", options.max),
                  text);
}

std::vector<std::string> SplitList(const std::string& text) {
  if (text.empty()) return {};
  return absl::StrSplit(text, ',');
}

std::string ValueName(const std::string& unit, const char* otherwise) {
  return unit.empty() ? otherwise : unit;
}

}  // namespace

Flags::Flags(std::string program, std::string purpose)
    : program_(std::move(program)), purpose_(std::move(purpose)) {}

void Flags::Group(std::string title) { group_ = std::move(title); }
void Flags::Example(std::string command) { examples_.push_back(std::move(command)); }

void Flags::Positional(std::vector<std::string>* target, PositionalOptions options) {
  positional_ = target;
  positional_options_ = std::move(options);
}

void Flags::Add(Flag flag) {
  MLP_CHECK(flag.name.size() > 1 && !absl::StrContains(flag.name, "-"));
  MLP_CHECK(Find(flag.name) == nullptr && flag.name != "help" && flag.name != "version");
  flag.group = group_;
  flags_.push_back(std::move(flag));
}

void Flags::Bool(const std::string& name, bool* target, const std::string& help) {
  const auto read = [target](const std::string& text) -> absl::StatusOr<Store> {
    bool value = false;
    if (!absl::SimpleAtob(text, &value)) return Expected("true or false", text);
    return Store([target, value] { *target = value; });
  };
  Add({.name = name,
       .value = "",
       .help = help,
       .default_text = *target ? "on" : "off",
       .read = read});
}

void Flags::AddInt(const std::string& name, const std::string& default_text,
                   const IntOptions& options, std::function<void(int64_t)> store) {
  const auto read = [options, store](const std::string& text) -> absl::StatusOr<Store> {
    MLP_ASSIGN_OR_RETURN(const int64_t value, ReadInt(text, options));
    return Store([store, value] { store(value); });
  };
  Add({.name = name,
       .value = ValueName(options.unit, "N"),
       .help = options.help,
       .default_text = default_text,
       .read = read});
}

void Flags::Double(const std::string& name, double* target, const DoubleOptions& options) {
  const auto read = [target, options](const std::string& text) -> absl::StatusOr<Store> {
    MLP_ASSIGN_OR_RETURN(const double value, ReadDouble(text, options));
    return Store([target, value] { *target = value; });
  };
  Add({.name = name,
       .value = ValueName(options.unit, "X"),
       .help = options.help,
       .default_text = absl::StrCat(*target),
       .read = read});
}

void Flags::String(const std::string& name, std::string* target, const TextOptions& options) {
  const auto read = [target, options](const std::string& text) -> absl::StatusOr<Store> {
    if (text.empty() && !options.may_be_empty) {
      return absl::InvalidArgumentError(absl::StrCat("expected a ", options.value_name,
                                                     ", found nothing; name one, or leave the "
                                                     "flag out"));
    }
    return Store([target, text] { *target = text; });
  };
  Add({.name = name,
       .value = options.value_name,
       .help = options.help,
       .default_text = *target,
       .read = read});
}

void Flags::Choice(const std::string& name, std::string* target, std::vector<std::string> choices,
                   const TextOptions& options) {
  const auto read = [target, choices](const std::string& text) -> absl::StatusOr<Store> {
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
      return Expected(absl::StrCat("one of ", absl::StrJoin(choices, ", ")), text);
    }
    return Store([target, text] { *target = text; });
  };
  Add({.name = name,
       .value = absl::StrJoin(choices, "|"),
       .help = options.help,
       .default_text = *target,
       .read = read});
}

void Flags::StringList(const std::string& name, std::vector<std::string>* target,
                       const TextOptions& options) {
  const auto read = [target](const std::string& text) -> absl::StatusOr<Store> {
    std::vector<std::string> values = SplitList(text);
    if (std::find(values.begin(), values.end(), "") != values.end()) {
      return Expected("values between commas, none of them empty", text);
    }
    return Store([target, values] { *target = values; });
  };
  Add({.name = name,
       .value = absl::StrCat(options.value_name, ",..."),
       .help = options.help,
       .default_text = absl::StrJoin(*target, ","),
       .read = read,
       .is_list = true});
}

void Flags::IntList(const std::string& name, std::vector<int64_t>* target,
                    const IntOptions& options) {
  const auto read = [target, options](const std::string& text) -> absl::StatusOr<Store> {
    std::vector<int64_t> values;
    for (const std::string& item : SplitList(text)) {
      MLP_ASSIGN_OR_RETURN(const int64_t value, ReadInt(item, options));
      values.push_back(value);
    }
    return Store([target, values] { *target = values; });
  };
  Add({.name = name,
       .value = absl::StrCat(ValueName(options.unit, "N"), ",..."),
       .help = options.help,
       .default_text = absl::StrJoin(*target, ","),
       .read = read,
       .is_list = true});
}

const Flags::Flag* Flags::Find(absl::string_view name) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(),
                                  [name](const Flag& flag) { return flag.name == name; });
  return found == flags_.end() ? nullptr : &*found;
}

bool Flags::Given(absl::string_view name) const {
  const Flag* flag = Find(name);
  MLP_CHECK(flag != nullptr);
  return flag->given;
}

// Hyphens in names become underscores, and every name is one we know.
absl::StatusOr<std::vector<std::string>> Flags::Normalize(
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> normal;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      normal.insert(normal.end(), arguments.begin() + static_cast<ptrdiff_t>(i), arguments.end());
      break;
    }
    if (argument == "-h" || argument == "-help") {
      normal.push_back("--help");
      continue;
    }
    if (!absl::StartsWith(argument, "-") || argument == "-") {
      normal.push_back(argument);
      continue;
    }
    const size_t equals = std::min(argument.find('='), argument.size());
    const size_t dashes = absl::StartsWith(argument, "--") ? 2 : 1;
    std::string name = argument.substr(dashes, equals - dashes);
    std::replace(name.begin(), name.end(), '-', '_');
    const bool built_in = name == "help" || name == "version";
    if (built_in && equals < argument.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, " takes no value, found \"", argument.substr(equals + 1), "\""));
    }
    if (dashes == 2 && (built_in || Find(name) != nullptr)) {
      normal.push_back(absl::StrCat("--", name, argument.substr(equals)));
      continue;
    }
    std::vector<std::string> names = {"help", "version"};
    for (const Flag& flag : flags_) names.push_back(flag.name);
    const std::string nearest = Nearest(name, names);
    return absl::InvalidArgumentError(
        absl::StrCat("unknown flag ", argument.substr(0, equals), "; ",
                     nearest.empty() ? "--help lists those there are"
                                     : absl::StrCat("did you mean --", nearest, "?")));
  }
  return normal;
}

absl::StatusOr<Flags::Action> Flags::Read(const std::vector<std::string>& arguments,
                                          const std::vector<std::string>& settings) {
  std::vector<std::string> all = settings;
  all.insert(all.end(), arguments.begin(), arguments.end());
  MLP_ASSIGN_OR_RETURN(const std::vector<std::string> normal, Normalize(all));
  std::vector<const char*> argv = {program_.c_str()};
  for (const std::string& argument : normal) argv.push_back(argument.c_str());

  std::vector<Store> stores;
  std::vector<std::string> positional;
  try {
    cxxopts::Options options(program_);
    options.add_options()("help", "", cxxopts::value<bool>())("version", "",
                                                              cxxopts::value<bool>());
    for (const Flag& flag : flags_) {
      auto value = cxxopts::value<std::string>();
      if (flag.value.empty()) value = value->implicit_value("true");
      options.add_options()(flag.name, "", value);
    }
    const cxxopts::ParseResult result = options.parse(static_cast<int>(argv.size()), argv.data());
    if (result.count("help") > 0) return Action::kHelp;
    if (result.count("version") > 0) return Action::kVersion;
    for (Flag& flag : flags_) {
      const auto is_setting = [&](const std::string& setting) {
        return absl::StartsWith(setting, absl::StrCat("--", flag.name, "="));
      };
      std::vector<std::string> values;  // First those of settings.
      for (const cxxopts::KeyValue& argument : result.arguments()) {
        if (argument.key() == flag.name) values.push_back(argument.value());
      }
      const auto given = values.begin() + std::ranges::count_if(settings, is_setting);
      flag.given = given != values.end();
      if (values.empty()) continue;
      const auto times = values.end() - given;
      if (times > 1 && !flag.is_list) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", flag.name, ": expected once, found ",
                         times == 2 ? "twice" : absl::StrCat(times, " times"), " (",
                         absl::StrJoin(given, values.end(), ", "), "); leave all but one out"));
      }
      const bool is_joined = flag.is_list && flag.given;
      absl::StatusOr<Store> store =
          flag.read(is_joined ? absl::StrJoin(given, values.end(), ",") : values.back());
      if (!store.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", flag.name, ": ", store.status().message()));
      }
      stores.push_back(*std::move(store));
    }
    positional = result.unmatched();
  } catch (const cxxopts::exceptions::missing_argument&) {
    // It is the last argument: others take the next one as theirs.
    const std::string& flag = normal.back();
    return absl::InvalidArgumentError(absl::StrCat(flag, ": expected a value, as in ", flag,
                                                   "=VALUE, found none; --help lists all flags"));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }

  const PositionalOptions& expected = positional_options_;
  if (positional.size() > expected.max) {
    return absl::InvalidArgumentError(
        expected.max == 0 ? absl::StrCat("unexpected argument \"", positional[0], "\"")
                          : absl::StrCat("expected at most ", expected.max, " ",
                                         expected.value_name, ", found ", positional.size()));
  }
  if (positional.size() < expected.min) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected ", expected.min, " ", expected.value_name, ", found ", positional.size()));
  }
  for (const Store& store : stores) store();
  if (positional_ != nullptr) *positional_ = std::move(positional);
  return Action::kRun;
}

std::optional<int> Flags::Parse(int argc, const char* const* argv) {
  const auto action = Read(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  if (!action.ok()) {
    std::fprintf(stderr, "%s: %s\n", program_.c_str(),
                 std::string(action.status().message()).c_str());
    return 2;
  }
  switch (*action) {
    case Action::kHelp: {
      const std::string help = Help();  // With the defaults, which reading examples overwrites.
      MLP_CHECK_EQ(std::string(CheckExamples().message()), "");
      PrintText(help);
      return 0;
    }
    case Action::kVersion:
      PrintText(absl::StrCat(program_, " ", version::VersionText(), "\n"));
      return 0;
    case Action::kRun:
      break;
  }
  return std::nullopt;
}

}  // namespace mlp::flags
