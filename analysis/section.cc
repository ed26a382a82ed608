#include "analysis/section.h"

#include <filesystem>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "analysis/aggregate.h"
#include "analysis/gnuplot.h"
#include "analysis/markdown.h"
#include "analysis/plot.h"
#include "analysis/table.h"
#include "analysis/value.h"
#include "mlp/base/status_macros.h"
#include "mlp/record/keys.h"

namespace mlp::analysis {
namespace {

// Parts of a file's name: letters, digits and underscores.
std::string FileName(const std::vector<std::string>& parts) {
  std::string name;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!name.empty()) name += '-';
    for (const char c : part) {
      const auto byte = static_cast<unsigned char>(c);
      name += absl::ascii_isalnum(byte) ? absl::ascii_tolower(byte) : '_';
    }
  }
  return name;
}

std::string Relative(const std::string& path, const std::string& results_dir) {
  return std::filesystem::path(path).lexically_relative(results_dir).generic_string();
}

// "[20260131T...](raw/speed/20260131T....json)"
std::string RecordLink(const LoadedRecord& loaded, const std::string& results_dir) {
  return absl::StrCat("[", EscapeMarkdown(loaded.record.id), "](<",
                      Relative(loaded.path, results_dir), ">)");
}

// Where the numbers come from.
std::string Provenance(const Series& series, const std::string& results_dir) {
  const record::Record& record = series.newest.record;
  const record::Machine& machine = record.machine;
  std::vector<std::string> config;
  for (const auto& [key, value] : record.config) {
    if (key == "dataset_sha256") continue;
    config.push_back(absl::StrCat(EscapeMarkdown(key), " ", EscapeMarkdown(record::ToText(value))));
  }
  std::string text = absl::StrCat(
      "- Record: ", RecordLink(series.newest, results_dir), ", commit ",
      Code(record.commit.substr(0, 7)), record.dirty ? " with uncommitted changes" : "", "\n",
      "- Machine: ", Code(machine.id), ", ", EscapeMarkdown(machine.cpu), ", ", machine.cores,
      machine.cores == 1 ? " core" : " cores");
  if (machine.gpu) absl::StrAppend(&text, ", ", EscapeMarkdown(machine.gpu->name));
  if (machine.load_average) {
    absl::StrAppend(&text, "; load at the start ", Digits(*machine.load_average, 2));
  }
  if (machine.steal_pct) absl::StrAppend(&text, "; stolen ", Digits(*machine.steal_pct, 2), " %");
  absl::StrAppend(&text, "\n- Build: ", EscapeMarkdown(record.build.compiler), ", ",
                  EscapeMarkdown(record.build.mode),
                  record.build.math.empty()
                      ? ""
                      : absl::StrCat(", ", EscapeMarkdown(record.build.math), " math"),
                  "\n");
  if (!config.empty())
    absl::StrAppend(&text, "- Configuration: ", absl::StrJoin(config, ", "), "\n");
  for (const std::string& note : record.notes) {
    absl::StrAppend(&text, "- Note: ", EscapeMarkdown(note), "\n");
  }
  if (!series.older.empty()) {
    absl::StrAppend(&text, "- Older records, not shown: ",
                    absl::StrJoin(series.older, ", ",
                                  [&](std::string* out, const LoadedRecord& older) {
                                    absl::StrAppend(out, RecordLink(older, results_dir));
                                  }),
                    "\n");
  }
  return text;
}

}  // namespace

absl::StatusOr<Section> MakeSection(const Series& series, const std::string& heading,
                                    const std::string& results_dir) {
  const record::Record& record = series.newest.record;
  Section section;
  if (!heading.empty()) {
    absl::StrAppend(&section.markdown, "### ", EscapeMarkdown(heading), "\n\n");
  }
  const std::vector<Table> tables = Aggregate(record);
  if (tables.empty()) section.conclusion = "The record has no runs.";
  for (const Table& table : tables) {
    const record::View& view = table.view;
    const std::string title = !view.title.empty()  ? view.title
                              : !view.name.empty() ? view.name
                                                   : record.question;
    if (tables.size() > 1) {
      absl::StrAppend(&section.markdown, "**", EscapeMarkdown(title), "**\n\n");
    }
    const std::string conclusion = Conclusion(table);
    if (section.conclusion.empty()) section.conclusion = conclusion;
    const std::string name = FileName({record.experiment, record.ConfigText(record::keys::kDataset),
                                       record.machine.id, view.name});
    const std::string markdown = TableMarkdown(table);
    section.files[absl::StrCat("tables/", name, ".md")] = markdown;
    absl::StrAppend(&section.markdown, conclusion, "\n\n", markdown, "\n");
    for (size_t i = 0; i < view.plots.size(); ++i) {
      const record::Plot& plot = view.plots[i];
      const std::optional<Drawing> drawing = Draw(table, plot, title);
      if (!drawing) continue;
      const std::string base = absl::StrCat(name, "-", i + 1, "-", plot.kind);
      MLP_ASSIGN_OR_RETURN(std::string svg,
                           RenderSvg(*drawing, absl::StrReplaceAll(base, {{"-", "_"}})));
      MLP_ASSIGN_OR_RETURN(std::string png, RenderPng(*drawing));
      section.files[absl::StrCat("plots/", base, ".svg")] = std::move(svg);
      section.files[absl::StrCat("plots/", base, ".png")] = std::move(png);
      absl::StrAppend(&section.markdown, "![", EscapeMarkdown(drawing->title), "](plots/", base,
                      ".svg)\n\n");
    }
  }
  absl::StrAppend(&section.markdown, tables.empty() ? section.conclusion + "\n\n" : "",
                  Provenance(series, results_dir), "\n");
  return section;
}

}  // namespace mlp::analysis
