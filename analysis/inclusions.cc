#include "analysis/inclusions.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace mlp::analysis {
namespace {

constexpr absl::string_view kEnd = "<!-- end -->";

}  // namespace

absl::StatusOr<std::string> RenewInclusions(const std::string& page,
                                            const std::map<std::string, std::string>& files) {
  const std::vector<std::string> lines = absl::StrSplit(page, '\n');
  std::string renewed;
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&renewed, lines[i], i + 1 < lines.size() ? "\n" : "");
    absl::string_view path = lines[i];
    if (!absl::ConsumePrefix(&path, kInclusionBegin) || !absl::ConsumeSuffix(&path, " -->"))
      continue;
    const size_t begin = i + 1;
    do {
      ++i;
    } while (i < lines.size() && lines[i] != kEnd && !absl::StartsWith(lines[i], kInclusionBegin));
    if (i == lines.size() || lines[i] != kEnd) {
      return absl::InvalidArgumentError(absl::StrCat(
          "line ", begin, ": expected `", kEnd, "` further down, found ",
          i == lines.size() ? "none" : absl::StrCat("another begin before it, on line ", i + 1)));
    }
    const auto file = files.find(std::string(path));
    if (file == files.end()) {
      return absl::NotFoundError(
          absl::StrCat("line ", begin, ": expected a file of the report, found ", path));
    }
    absl::StrAppend(&renewed, "\n", file->second, absl::EndsWith(file->second, "\n") ? "" : "\n",
                    "\n", lines[i], i + 1 < lines.size() ? "\n" : "");
  }
  return renewed;
}

}  // namespace mlp::analysis
