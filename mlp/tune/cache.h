// Tunings in the user's cache directory: one file for each machine, good for one build.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mlp/record/json.h"
#include "mlp/tune/tuning.h"

namespace mlp::tune {

// What a tuning is good for.
struct Key {
  std::string machine;  // CPU, its features, and how many threads may run
  std::string build;    // version, compiler, and a hash of the kernels' sources
};

// This machine, and this build.
Key ThisKey();

// mlp-lab/tune-<hash of the machine>.json in the user's cache directory. NotFound: there is none.
absl::StatusOr<std::string> CacheFile(const Key& key);

record::Json ToJson(const Tuning& tuning);

// NotFound: there is none. FailedPrecondition: it is of another machine or build. InvalidArgument:
// it is broken, or asks for what `space` does not have. Messages begin with the path and name no
// remedy: that is to measure anew, which some callers do and others do not.
absl::StatusOr<Tuning> Load(const std::string& path, const Key& key, const Space& space);

// The file appears whole or not at all; its directory is made.
absl::Status Save(const std::string& path, const Key& key, const Tuning& tuning);

// NotFound: there is none.
absl::Status Remove(const std::string& path);

}  // namespace mlp::tune
