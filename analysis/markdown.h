// Markdown that any text of a record may stand in.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mlp::analysis {

// The text itself, on one line, whatever characters it has: no markup, link or HTML comes of it.
std::string EscapeMarkdown(absl::string_view text);

// `text` as code, safe inside a table, too.
std::string Code(absl::string_view text);

// A table of GitHub's dialect: cells are Markdown. `alignment` has an 'l' or 'r' for each column,
// and every row as many cells as the head.
std::string MarkdownTable(const std::vector<std::string>& head, const std::string& alignment,
                          const std::vector<std::vector<std::string>>& rows);

}  // namespace mlp::analysis
