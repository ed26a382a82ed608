// The tuning of this machine for programs: from the cache, or measured once and kept there.
#pragma once

#include <optional>
#include <string>

#include "mlp/tune/tuning.h"

namespace mlp::tune {

// Whether MLP_TUNE=off is in the environment: tests and scripts that must not depend on what lies
// in a cache.
bool IsOff();

// What is in the cache, if it is this machine's and this build's; none if that is off.
std::optional<Tuning> Cached();

// The same, or measured now and kept, as it is an hour after a try for which the machine was too
// busy. *note is a line for the user about what happened, if anything did.
std::optional<Tuning> CachedOrMeasured(std::string* note);

}  // namespace mlp::tune
