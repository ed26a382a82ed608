// One self-contained page from the report's Markdown.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::analysis {

// The page: a table of contents from the second-level headings, and each image whose address is a
// key of `svgs` replaced by that SVG. Raw HTML in the Markdown is left out. It has light and dark
// colours and needs no network.
absl::StatusOr<std::string> HtmlPage(const std::string& title, absl::string_view markdown,
                                     const std::map<std::string, std::string>& svgs);

// The anchor of a heading, as GitHub makes it: lower case, hyphens for spaces, no punctuation.
std::string Anchor(absl::string_view heading);

std::string EscapeHtml(absl::string_view text);

}  // namespace mlp::analysis
