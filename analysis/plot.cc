#include "analysis/plot.h"

#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"

namespace mlp::analysis {
namespace {

std::optional<Drawing> DrawKind(const Table& table, const record::Plot& plot) {
  if (plot.kind == "bars") return DrawBars(table, plot);
  if (plot.kind == "lines") return DrawLines(table, plot);
  if (plot.kind == "curves") return DrawCurves(table, plot);
  if (plot.kind == "roofline") return DrawRoofline(table, plot);
  MLP_CHECK_EQ(plot.kind, "scatter");
  return DrawScatter(table, plot);
}

// What fits above a drawing.
std::string Shortened(const std::string& title) {
  constexpr size_t kMost = 84;
  if (title.size() <= kMost) return title;
  return absl::StrCat(title.substr(0, title.rfind(' ', kMost)), " ...");
}

}  // namespace

std::optional<Drawing> Draw(const Table& table, const record::Plot& plot,
                            const std::string& title) {
  std::optional<Drawing> drawing = DrawKind(table, plot);
  if (!drawing) return drawing;
  if (!plot.title.empty()) {
    drawing->title = plot.title;
  } else {
    drawing->title = drawing->title.empty() ? title : absl::StrCat(title, ": ", drawing->title);
  }
  // At the left, where the eye starts; gnuplot itself would centre it.
  drawing->script =
      absl::StrCat("set label 1000 ", Quoted(Shortened(drawing->title)), " at screen 0.02, screen ",
                   Literal(1 - 22.0 / drawing->height), " left front textcolor rgb '", kTextColor,
                   "' font ',15'\n", drawing->script);
  return drawing;
}

}  // namespace mlp::analysis
