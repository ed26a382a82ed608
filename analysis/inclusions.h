// Generated figures within a hand-written page: README.md shows tables of the report, and no figure
// in it is typed by hand.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace mlp::analysis {

// What a line that keeps a place begins with.
inline constexpr char kInclusionBegin[] = "<!-- begin ";

// Between a line `<!-- begin <path> -->` and the next line `<!-- end -->`, puts the contents of
// files[path] in place of what was there. NotFound: files has no such path. InvalidArgument: a
// beginning without an end. Errors name the line.
absl::StatusOr<std::string> RenewInclusions(const std::string& page,
                                            const std::map<std::string, std::string>& files);

}  // namespace mlp::analysis
