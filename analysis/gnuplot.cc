#include "analysis/gnuplot.h"

#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/subprocess.h"

namespace mlp::analysis {
namespace {

constexpr char kFont[] = "DejaVu Sans";

// What all drawings share: light axes below and at the left, a faint grid, no box around.
constexpr char kStyle[] = R"(
set encoding utf8
set termoption noenhanced
set border 3 linecolor rgb '#9aa3ad' linewidth 1
set format '%.10g'
set tics nomirror textcolor rgb '#4a525b' scale 0.5
set grid linecolor rgb '#e6e9ec' linetype 1 linewidth 1
set grid back
set key textcolor rgb '#2b3138' noenhanced samplen 2 Left reverse
)";

absl::StatusOr<std::string> Render(const std::string& terminal, const Drawing& drawing) {
  const std::string script = absl::StrCat(terminal, kStyle, drawing.script, "\n");
  // -d: without the user's own settings.
  absl::StatusOr<io::CommandResult> ran = io::RunCommand({"gnuplot", "-d", "-"}, script);
  if (absl::IsNotFound(ran.status())) {
    return absl::NotFoundError(
        "gnuplot: expected the program in PATH, found none; install the package gnuplot-nox");
  }
  MLP_ASSIGN_OR_RETURN(io::CommandResult result, std::move(ran));
  constexpr int kSignals = 128;  // What RunCommand adds to a signal's number.
  if (result.exit_code > kSignals) {
    return absl::InternalError(absl::StrCat(
        "gnuplot: expected a drawing, found that signal ", result.exit_code - kSignals,
        " ended it; look at the limits (ulimit -a), the free memory and the room on the disk"));
  }
  if (result.exit_code != 0 || result.output.empty()) {
    return absl::InternalError(absl::StrCat("gnuplot: exit code ", result.exit_code, ": ",
                                            absl::StripAsciiWhitespace(result.errors)));
  }
  return std::move(result.output);
}

}  // namespace

std::string Quoted(absl::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return absl::StrCat("'", absl::StrReplaceAll(line, {{"'", "''"}}), "'");
}

std::string Literal(double value) { return absl::StrFormat("%.17g", value); }

std::string SeriesColor(size_t index) {
  constexpr std::array<const char*, kSeriesColors> kColors = {
      "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
      "#56b4e9", "#5d4a9c", "#2b3138", "#8c510a", "#97a900"};
  return kColors[index % kColors.size()];
}

bool IsWide(double low, double high) { return high >= 10 * low; }

std::string LogScale(absl::string_view axis, double low, double high) {
  // Few decades leave room for more numbers in each, many for none but their own.
  static const auto* const kSteps = [] {
    auto* steps = new std::vector<std::vector<double>>{
        {1}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}, {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9}, {}};
    for (int tenths = 10; tenths < 100; ++tenths) steps->back().push_back(tenths / 10.0);
    return steps;
  }();
  constexpr size_t kFewest = 3;
  std::vector<std::string> tics;
  for (size_t fine = high > 1e4 * low    ? 0
                     : IsWide(low, high) ? 1
                                         : 2;
       fine < kSteps->size() && tics.size() < kFewest; ++fine) {
    tics.clear();
    for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high; decade *= 10) {
      for (const double step : (*kSteps)[fine]) {
        const double tic = step * decade;
        if (tic < low / 1.1 || tic > high * 1.1) continue;
        tics.push_back(absl::StrCat(Quoted(absl::StrCat(tic)), " ", Literal(tic)));
      }
    }
  }
  return absl::StrCat("set logscale ", axis, "\nset ", axis, "tics (", absl::StrJoin(tics, ", "),
                      ")\n");
}

std::string SetMargins(const Drawing& drawing, const Margins& margins) {
  return absl::StrCat("set lmargin at screen ", Literal(margins.left / drawing.width),
                      "\nset rmargin at screen ", Literal(1 - margins.right / drawing.width),
                      "\nset bmargin at screen ", Literal(margins.bottom / drawing.height), "\n");
}

absl::StatusOr<std::string> RenderSvg(const Drawing& drawing, const std::string& id) {
  const std::string terminal = absl::StrFormat(
      "set terminal svg size %d,%d dynamic font '%s,13' name '%s' background rgb "
      "'#ffffff' linewidth 1.4\n",
      drawing.width, drawing.height, kFont, id);
  MLP_ASSIGN_OR_RETURN(const std::string svg, Render(terminal, drawing));
  // Without the font a browser would take its default one, with serifs.
  return absl::StrReplaceAll(
      svg, {{absl::StrCat("font-family=\"", kFont, "\""),
             absl::StrCat("font-family=\"", kFont, ", Verdana, Helvetica, Arial, sans-serif\"")}});
}

absl::StatusOr<std::string> RenderPng(const Drawing& drawing) {
  // With the sizes that text has in the SVG: the names' room is measured for these.
  return Render(absl::StrFormat("set terminal pngcairo size %d,%d font '%s,13' fontscale 1.5 "
                                "linewidth 2.6 pointscale 2 background rgb '#ffffff'\n",
                                2 * drawing.width, 2 * drawing.height, kFont),
                drawing);
}

}  // namespace mlp::analysis
