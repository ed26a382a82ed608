#include "mlp/tune/cache.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/atomic_file.h"
#include "mlp/io/directories.h"
#include "mlp/record/environment.h"
#include "mlp/tune/kernel_sources.h"
#include "mlp/version/version.h"

namespace mlp::tune {
namespace {

using record::Json;

constexpr int kFormat = 1;
constexpr size_t kMaxFileBytes = 1 << 20;

// FNV-1a (Fowler, Noll, Vo).
uint64_t Hash(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

absl::Status Wrong(absl::StatusCode code, absl::string_view path, absl::string_view what,
                   absl::string_view expected, absl::string_view found) {
  return absl::Status(code,
                      absl::StrCat(path, ": ", what, ": expected ", expected, ", found ", found));
}

std::string Shown(const Json& json, const char* key) {
  return json.contains(key) ? record::Dump(json[key]) : "nothing";
}

std::optional<Timing> TimingFrom(const Json& json) {
  if (!json.is_object() || !json.contains("isa") || !json.contains("threads") ||
      !json.contains("skip_zeros") || !json.contains("density") || !json.contains("step_s")) {
    return std::nullopt;
  }
  const auto isa =
      std::ranges::find_if(kIsas, [&](Isa i) { return json["isa"] == std::string(Name(i)); });
  if (isa == kIsas.end() || !json["threads"].is_number_integer() ||
      !json["skip_zeros"].is_boolean() || !json["density"].is_number() ||
      !json["step_s"].is_number()) {
    return std::nullopt;
  }
  return Timing{{.isa = *isa,
                 .threads = json["threads"].get<int>(),
                 .skip_zeros = json["skip_zeros"].get<bool>(),
                 .density = json["density"].get<double>()},
                json["step_s"].get<double>()};
}

// Members of a tuning that this machine can follow.
absl::StatusOr<Tuning> FromJson(const std::string& path, const Json& json, const Space& space) {
  const auto wrong = [&](const char* key, absl::string_view expected) {
    return Wrong(absl::StatusCode::kInvalidArgument, path, key, expected, Shown(json, key));
  };
  Tuning tuning;
  const auto isa = json.find("isa");
  const auto is_named = [&](Isa candidate) {
    return isa != json.end() && isa->is_string() && *isa == std::string(Name(candidate));
  };
  const auto found = std::ranges::find_if(space.isas, is_named);
  if (found == space.isas.end()) {
    return wrong(
        "isa", absl::StrCat("one of ", absl::StrJoin(space.isas, ", ", [](std::string* out, Isa i) {
                              absl::StrAppend(out, Name(i));
                            })));
  }
  tuning.isa = *found;
  const auto threads = json.find("threads");
  if (threads == json.end() || !threads->is_number_integer() || threads->get<int64_t>() < 1 ||
      threads->get<int64_t>() > space.threads) {
    return wrong("threads", absl::StrCat("a number from 1 to ", space.threads));
  }
  tuning.threads = threads->get<int>();
  const auto skip_below = json.find("skip_below");
  if (skip_below == json.end() || !skip_below->is_number() ||
      !(skip_below->get<double>() >= 0 && skip_below->get<double>() <= 1)) {
    return wrong("skip_below", "a number from 0 to 1");
  }
  tuning.skip_below = skip_below->get<double>();
  const auto steady = json.find("steady");
  if (steady == json.end() || !steady->is_boolean()) return wrong("steady", "true or false");
  tuning.steady = steady->get<bool>();
  const auto timings = json.find("timings");
  if (timings == json.end() || !timings->is_array()) return wrong("timings", "an array");
  for (const Json& entry : *timings) {
    const auto timing = TimingFrom(entry);
    if (!timing) {
      return Wrong(absl::StatusCode::kInvalidArgument, path, "timings",
                   "isa, threads, skip_zeros, density and step_s in each", record::Dump(entry));
    }
    tuning.timings.push_back(*timing);
  }
  return tuning;
}

}  // namespace

Key ThisKey() {
  const record::Machine machine = record::ReadMachine();
  const record::Build build = record::ReadBuild();
  return {absl::StrCat(machine.cpu, ", ", absl::StrJoin(machine.isa, " "), ", ", machine.cores,
                       " threads"),
          absl::StrCat(version::kVersion, ", ", build.compiler, " ", build.mode, ", kernels ",
                       kKernelSources)};
}

absl::StatusOr<std::string> CacheFile(const Key& key) {
  MLP_ASSIGN_OR_RETURN(const std::string cache, io::CacheDirectory());
  return absl::StrFormat("%s/mlp-lab/tune-%016x.json", cache, Hash(key.machine));
}

Json ToJson(const Tuning& tuning) {
  Json timings = Json::array();
  for (const auto& [candidate, step_s] : tuning.timings) {
    timings.push_back({{"isa", std::string(Name(candidate.isa))},
                       {"threads", candidate.threads},
                       {"skip_zeros", candidate.skip_zeros},
                       {"density", candidate.density},
                       {"step_s", step_s}});
  }
  return {{"isa", std::string(Name(tuning.isa))},
          {"threads", tuning.threads},
          {"skip_below", tuning.skip_below},
          {"steady", tuning.steady},
          {"timings", timings}};
}

absl::StatusOr<Tuning> Load(const std::string& path, const Key& key, const Space& space) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return absl::NotFoundError(absl::StrCat(path, ": nothing was measured yet"));
  }
  MLP_ASSIGN_OR_RETURN(const std::string text, io::ReadFile(path, kMaxFileBytes));
  MLP_ASSIGN_OR_RETURN(const Json json, record::ParseJson(text, path));
  if (!json.is_object() || json.value("format", Json()) != kFormat) {
    return Wrong(absl::StatusCode::kInvalidArgument, path, "format", absl::StrCat(kFormat),
                 json.is_object() ? Shown(json, "format") : json.type_name());
  }
  for (const auto& [name, expected] :
       {std::pair("machine", &key.machine), std::pair("build", &key.build)}) {
    if (json.value(name, Json()) == *expected) continue;
    return Wrong(absl::StatusCode::kFailedPrecondition, path, name, *expected, Shown(json, name));
  }
  if (!json.contains("tuning") || !json["tuning"].is_object()) {
    return Wrong(absl::StatusCode::kInvalidArgument, path, "tuning", "an object",
                 Shown(json, "tuning"));
  }
  return FromJson(path, json["tuning"], space);
}

absl::Status Save(const std::string& path, const Key& key, const Tuning& tuning) {
  MLP_RETURN_IF_ERROR(io::CreateDirectories(std::filesystem::path(path).parent_path().string()));
  const Json json = {{"format", kFormat},
                     {"machine", key.machine},
                     {"build", key.build},
                     {"tuning", ToJson(tuning)}};
  return io::WriteFileAtomically(path, record::Dump(json, 1) + "\n");
}

absl::Status Remove(const std::string& path) {
  if (unlink(path.c_str()) == 0) return absl::OkStatus();
  return io::ErrnoError("remove it", path, errno);
}

}  // namespace mlp::tune
