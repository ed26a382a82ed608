#include "analysis/markdown.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "mlp/base/check.h"

namespace mlp::analysis {
namespace {

std::string OneLine(absl::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return line;
}

}  // namespace

std::string EscapeMarkdown(absl::string_view text) {
  std::string escaped;
  for (const char c : OneLine(text)) {
    // Any punctuation may be escaped; these are the ones that can mean something within a line.
    if (absl::string_view("\\`*_{}[]<>#|~&!").find(c) != absl::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string Code(absl::string_view text) {
  // A bar would end the cell even within code, and a backtick the code.
  return absl::StrCat("`", absl::StrReplaceAll(OneLine(text), {{"`", "'"}, {"|", "\\|"}}), "`");
}

std::string MarkdownTable(const std::vector<std::string>& head, const std::string& alignment,
                          const std::vector<std::vector<std::string>>& rows) {
  MLP_CHECK_EQ(alignment.size(), head.size());
  std::string text = absl::StrCat("| ", absl::StrJoin(head, " | "), " |\n|");
  for (const char side : alignment) absl::StrAppend(&text, side == 'l' ? ":---|" : "---:|");
  text += "\n";
  for (const std::vector<std::string>& row : rows) {
    MLP_CHECK_EQ(row.size(), head.size());
    absl::StrAppend(&text, "| ", absl::StrJoin(row, " | "), " |\n");
  }
  return text;
}

}  // namespace mlp::analysis
