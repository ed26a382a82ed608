#include "benchmarks/peers/contenders.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "mlp/io/directories.h"

namespace mlp::peers {
namespace {

namespace fs = std::filesystem;

constexpr char kInstallLibraries[] = "tools/setup --peers";
constexpr char kInstallPython[] = "benchmarks/peers/setup_python";

bool IsProgram(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

std::string CacheDirectory() {
  if (absl::StatusOr<std::string> cache = io::CacheDirectory(); cache.ok()) return *cache;
  // Tests have no HOME.
  const passwd* user = getpwuid(getuid());
  return absl::StrCat(user != nullptr ? user->pw_dir : "", "/.cache");
}

Contender Program(const Places& places, const std::string& name, const std::string& program,
                  std::vector<std::string> arguments, bool ours) {
  Contender contender = {.name = name, .argv = {absl::StrCat(places.directory, "/", program)}};
  contender.ours = ours;
  contender.argv.insert(contender.argv.end(), arguments.begin(), arguments.end());
  if (!IsProgram(contender.argv[0])) {
    contender.missing = absl::StrCat("not installed: ", kInstallLibraries);
  }
  return contender;
}

Contender PythonProgram(const Places& places, const std::string& name, const std::string& file,
                        std::vector<std::string> arguments) {
  Contender contender = {.name = name,
                         .argv = {places.python, absl::StrCat(places.directory, "/python/", file)}};
  contender.argv.insert(contender.argv.end(), arguments.begin(), arguments.end());
  if (!IsProgram(places.python)) {
    contender.missing = absl::StrCat("not installed: ", kInstallPython);
  }
  return contender;
}

}  // namespace

Places FindPlaces(const std::string& program) {
  constexpr char kFolder[] = "benchmarks/peers";
  std::error_code ignored;
  const std::string self = fs::read_symlink("/proc/self/exe", ignored).string();
  Places places = {.python = CacheDirectory() + "/mlp-lab/peers-python/bin/python"};
  // Runfiles hold programs and scripts alike: this process is in them, or they are beside it.
  for (const std::string& root :
       {std::string("."), program + ".runfiles/mlp_lab", self + ".runfiles/mlp_lab"}) {
    places.directory = fs::absolute(fs::path(root) / kFolder, ignored).lexically_normal().string();
    if (IsProgram(places.directory + "/mlp")) break;
  }
  return places;
}

std::vector<Contender> BuiltIn(const Places& places) {
  return {
#define MLP_OWN(name, ...) Program(places, name, "mlp", {__VA_ARGS__}, /*ours=*/true),
#define MLP_CPP(name) Program(places, name, name, {}, /*ours=*/false),
#define MLP_PYTHON(name, file, ...) PythonProgram(places, name, file, {__VA_ARGS__}),
#include "benchmarks/peers/contenders.inc"
#undef MLP_OWN
#undef MLP_CPP
#undef MLP_PYTHON
  };
}

absl::StatusOr<Contender> ParseContender(const std::string& text, const Places& places) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
  Contender contender = {.name = parts.first,
                         .argv = absl::StrSplit(parts.second, ' ', absl::SkipEmpty())};
  if (contender.name.empty() || contender.argv.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--peer: expected NAME=COMMAND, found ", text));
  }
  std::string& program = contender.argv[0];
  const std::string built_in = absl::StrCat(places.directory, "/", program);
  if (!absl::StrContains(program, '/') && IsProgram(built_in)) program = built_in;
  return contender;
}

absl::StatusOr<Contender> ParseCommand(const std::string& text, size_t epochs,
                                       const Places& places) {
  // Words such as "mlp" are not looked for among the peers: those speak the protocol.
  absl::StatusOr<Contender> contender = ParseContender(text, {.directory = "", .python = ""});
  if (!contender.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--command: expected NAME=COMMAND, found ", text));
  }
  contender->argv.insert(contender->argv.begin(), {absl::StrCat(places.directory, "/command_peer"),
                                                   absl::StrCat("--epochs=", epochs), "--"});
  contender->whole_turns = true;
  return contender;
}

absl::StatusOr<std::vector<Contender>> Choose(std::vector<Contender> all,
                                              const std::vector<std::string>& names) {
  const auto is_named = [](const std::string& name, const Contender& contender) {
    return contender.name == name || absl::StartsWith(contender.name, name + "/");
  };
  for (const std::string& name : names) {
    if (std::ranges::any_of(all, [&](const Contender& c) { return is_named(name, c); })) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "--peers: expected some of ",
        absl::StrJoin(all, ", ",
                      [](std::string* out, const Contender& c) { absl::StrAppend(out, c.name); }),
        ", found ", name));
  }
  if (names.empty()) return all;
  std::erase_if(all, [&](const Contender& contender) {
    return !contender.ours && std::ranges::none_of(names, [&](const std::string& name) {
      return is_named(name, contender);
    });
  });
  return all;
}

}  // namespace mlp::peers
