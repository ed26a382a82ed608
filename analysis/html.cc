#include "analysis/html.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace mlp::analysis {
namespace {

constexpr char kCss[] =
#include "analysis/page.css.inc"
    ;

struct Deleter {
  void operator()(cmark_node* node) const { cmark_node_free(node); }
  void operator()(cmark_parser* parser) const { cmark_parser_free(parser); }
  void operator()(cmark_iter* iter) const { cmark_iter_free(iter); }
  void operator()(char* text) const { std::free(text); }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

struct Heading {
  std::string text;
  std::string anchor;
};

cmark_node* HtmlNode(cmark_node_type type, const std::string& html) {
  cmark_node* node = cmark_node_new(type);
  cmark_node_set_literal(node, html.c_str());
  return node;
}

// The text of all that is below `node`.
std::string TextBelow(cmark_node* node) {
  std::string text;
  const Owned<cmark_iter> iter(cmark_iter_new(node));
  for (cmark_event_type event; (event = cmark_iter_next(iter.get())) != CMARK_EVENT_DONE;) {
    if (event != CMARK_EVENT_ENTER) continue;
    if (const char* literal = cmark_node_get_literal(cmark_iter_get_node(iter.get()))) {
      text += literal;
    }
  }
  return text;
}

// Nodes of one kind, collected before any is changed.
std::vector<cmark_node*> Nodes(cmark_node* document, absl::string_view kind) {
  std::vector<cmark_node*> nodes;
  const Owned<cmark_iter> iter(cmark_iter_new(document));
  for (cmark_event_type event; (event = cmark_iter_next(iter.get())) != CMARK_EVENT_DONE;) {
    cmark_node* node = cmark_iter_get_node(iter.get());
    if (event == CMARK_EVENT_ENTER && cmark_node_get_type_string(node) == kind) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

// Raw HTML is nobody's here: all that is said is Markdown.
void DropHtml(cmark_node* document) {
  for (const char* kind : {"html_block", "html_inline"}) {
    for (cmark_node* node : Nodes(document, kind)) {
      cmark_node_unlink(node);
      cmark_node_free(node);
    }
  }
}

std::vector<Heading> MarkHeadings(cmark_node* document) {
  std::vector<Heading> headings;
  for (cmark_node* node : Nodes(document, "heading")) {
    if (cmark_node_get_heading_level(node) != 2) continue;
    const std::string text = TextBelow(node);
    headings.push_back({text, Anchor(text)});
    cmark_node_prepend_child(
        node, HtmlNode(CMARK_NODE_HTML_INLINE,
                       absl::StrCat("<a id=\"", EscapeHtml(headings.back().anchor), "\"></a>")));
  }
  return headings;
}

void WrapTables(cmark_node* document) {
  for (cmark_node* node : Nodes(document, "table")) {
    cmark_node_insert_before(node, HtmlNode(CMARK_NODE_HTML_BLOCK, "<div class=\"table\">\n"));
    cmark_node_insert_after(node, HtmlNode(CMARK_NODE_HTML_BLOCK, "</div>\n"));
  }
}

// Without the head that makes it a file of its own.
std::string InlineSvg(const std::string& svg, const std::string& label) {
  const size_t start = svg.find("<svg");
  if (start == std::string::npos) return "";
  return absl::StrCat("<span class=\"plot\"><svg role=\"img\" aria-label=\"", EscapeHtml(label),
                      "\"", svg.substr(start + 4), "</span>");
}

void InlineImages(cmark_node* document, const std::map<std::string, std::string>& svgs) {
  for (cmark_node* node : Nodes(document, "image")) {
    const auto svg = svgs.find(cmark_node_get_url(node));
    if (svg == svgs.end()) continue;
    cmark_node* html = HtmlNode(CMARK_NODE_HTML_INLINE, InlineSvg(svg->second, TextBelow(node)));
    cmark_node_replace(node, html);
    cmark_node_free(node);
  }
}

}  // namespace

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string Anchor(absl::string_view heading) {
  std::string anchor;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '_' || c == '-' || byte >= 0x80) {
      anchor += absl::ascii_tolower(byte);
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

absl::StatusOr<std::string> HtmlPage(const std::string& title, absl::string_view markdown,
                                     const std::map<std::string, std::string>& svgs) {
  cmark_gfm_core_extensions_ensure_registered();
  const Owned<cmark_parser> parser(cmark_parser_new(CMARK_OPT_DEFAULT));
  cmark_syntax_extension* tables = cmark_find_syntax_extension("table");
  if (tables == nullptr) {
    return absl::InternalError("cmark-gfm: expected its extension \"table\", found none");
  }
  cmark_parser_attach_syntax_extension(parser.get(), tables);
  cmark_parser_feed(parser.get(), markdown.data(), markdown.size());
  const Owned<cmark_node> document(cmark_parser_finish(parser.get()));

  DropHtml(document.get());
  const std::vector<Heading> headings = MarkHeadings(document.get());
  WrapTables(document.get());
  InlineImages(document.get(), svgs);
  // What is unsafe has been dropped; what is left is ours.
  const Owned<char> body(cmark_render_html(document.get(), CMARK_OPT_UNSAFE,
                                           cmark_parser_get_syntax_extensions(parser.get())));

  std::string contents;
  for (const Heading& heading : headings) {
    absl::StrAppend(&contents, "<a href=\"#", EscapeHtml(heading.anchor), "\">",
                    EscapeHtml(heading.text), "</a>\n");
  }
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      EscapeHtml(title), "</title>\n<style>", kCss, "</style>\n</head>\n<body>\n",
      "<div class=\"layout\">\n<nav>\n<strong>Contents</strong>\n", contents, "</nav>\n<main>\n",
      body.get(), "</main>\n</div>\n</body>\n</html>\n");
}

}  // namespace mlp::analysis
