#include "analysis/plot.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "mlp/base/check.h"

namespace mlp::analysis {
namespace {

std::optional<Drawing> DrawKind(const Table& table, const record::Plot& plot,
                                std::span<const Table> siblings) {
  if (plot.kind == "bars") return DrawBars(table, plot, siblings);
  if (plot.kind == "lines") {
    return DrawLines(table, plot, IsShared(plot) ? siblings : std::span(&table, 1));
  }
  if (plot.kind == "curves") return DrawCurves(table, plot);
  if (plot.kind == "roofline") return DrawRoofline(table, plot);
  MLP_CHECK_EQ(plot.kind, "scatter");
  return DrawScatter(table, plot);
}

// What fits above a drawing.
std::string Shortened(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  return absl::StrCat(text.substr(0, text.rfind(' ', most)), " ...");
}

// At the left, where the eye starts; gnuplot itself would centre it.
std::string HeadLine(int tag, const std::string& text, double from_top, int height,
                     const char* color, int size) {
  return absl::StrCat("set label ", tag, " ", Quoted(text), " at screen 0.02, screen ",
                      Literal(1 - from_top / height), " left front textcolor rgb '", color,
                      "' font ',", size, "'\n");
}

}  // namespace

std::string Runs(size_t count) { return absl::StrCat(count, count == 1 ? " run" : " runs"); }

std::string MediansOf(size_t runs) {
  if (runs < 2) return absl::StrCat("values of ", Runs(runs));
  return absl::StrCat("medians of ", Runs(runs), " with their ",
                      runs < kMinForInterval ? "ranges" : "intervals");
}

bool IsShared(const record::Plot& plot) { return plot.kind == "lines" && !plot.series.empty(); }

std::optional<Drawing> Draw(const Table& table, const record::Plot& plot, const std::string& title,
                            const std::string& setup, std::span<const Table> siblings) {
  if (siblings.empty()) siblings = std::span(&table, 1);
  std::optional<Drawing> drawing = DrawKind(table, plot, siblings);
  if (!drawing) return drawing;
  if (!plot.title.empty()) {
    // Older records name what they measured, also where the error is drawn.
    drawing->title = drawing->shows_error ? absl::StrReplaceAll(plot.title, {{"accuracy", "error"}})
                                          : plot.title;
  } else {
    const bool says_it =
        absl::StrContains(absl::AsciiStrToLower(title), absl::AsciiStrToLower(drawing->title));
    drawing->title = says_it ? title : absl::StrCat(title, ": ", drawing->title);
  }
  const std::string below =
      absl::StrCat(setup, setup.empty() || drawing->note.empty() ? "" : "; ", drawing->note);
  drawing->script = absl::StrCat(
      HeadLine(1000, Shortened(drawing->title, 84), 20, drawing->height, kTextColor, 15),
      HeadLine(1001, Shortened(below, 118), 41, drawing->height, "#5b6670", 12),
      "set tmargin at screen ", Literal(1 - kHeadHeight / drawing->height), "\n", drawing->script);
  return drawing;
}

}  // namespace mlp::analysis
