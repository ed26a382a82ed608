#include "analysis/section.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "analysis/aggregate.h"
#include "analysis/gnuplot.h"
#include "analysis/markdown.h"
#include "analysis/plot.h"
#include "analysis/settings.h"
#include "analysis/table.h"
#include "analysis/value.h"
#include "mlp/base/status_macros.h"
#include "mlp/record/keys.h"

namespace mlp::analysis {
namespace {

// 32 bits of FNV-1a (Fowler, Noll, Vo, 1991), the same everywhere.
uint32_t Hash(absl::string_view text) {
  uint32_t hash = 2166136261;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return hash;
}

// Parts of a file's name: letters, digits and underscores. Where others had to go, a hash keeps
// names apart that would have become one.
std::string FileName(const std::vector<std::string>& parts) {
  std::string name;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!name.empty()) name += '-';
    std::string plain = part;
    for (char& c : plain) {
      const auto byte = static_cast<unsigned char>(c);
      c = absl::ascii_isalnum(byte) ? absl::ascii_tolower(byte) : '_';
    }
    name += plain;
    if (plain != part) absl::StrAppendFormat(&name, "_%08x", Hash(part));
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

// "eigen 3.4.0, jax 0.10.2": what runs say that they were resolved to, where the kinds of them
// differ from variant to variant, as other people's software does.
std::string Versions(const record::Record& record) {
  std::map<std::string, std::string> first;  // of each key
  std::map<std::string, size_t> runs;
  size_t resolved = 0;
  for (const record::RunRecord& run : record.runs) {
    resolved += !run.resolved.empty();
    for (const auto& [key, value] : run.resolved) {
      first.try_emplace(key, value);
      ++runs[key];
    }
  }
  std::vector<std::string> parts;
  for (const auto& [key, value] : first) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(value[0])) && runs[key] < resolved) {
      parts.push_back(absl::StrCat(EscapeMarkdown(key), " ", EscapeMarkdown(value)));
    }
  }
  return absl::StrJoin(parts, ", ");
}

std::string MachineLine(const record::Machine& machine) {
  std::string text =
      absl::StrCat("- Machine: ", Code(machine.id), ", ", EscapeMarkdown(machine.cpu), ", ",
                   machine.cores, machine.cores == 1 ? " core" : " cores");
  if (machine.gpu) absl::StrAppend(&text, ", ", EscapeMarkdown(machine.gpu->name));
  if (machine.load_average) {
    absl::StrAppend(&text, "; load at the start ", Digits(*machine.load_average, 2));
  }
  if (machine.steal_pct) absl::StrAppend(&text, "; stolen ", Digits(*machine.steal_pct, 2), " %");
  text += "\n";
  if (machine.load_average && *machine.load_average > 0.5 * machine.cores) {
    text +=
        "- Warning: at the start more than half of the cores had work, perhaps that of a run "
        "before\n";
  }
  return text;
}

// Where the numbers come from.
std::string Provenance(const Series& series, const std::string& results_dir) {
  const record::Record& record = series.newest.record;
  const Config all = ConfigOf(record);
  std::vector<std::string> config, definitions;
  for (const auto& [key, text] : all.settings) {
    if (key != "dataset_sha256") {
      config.push_back(absl::StrCat(EscapeMarkdown(key), " ", EscapeMarkdown(text)));
    }
  }
  for (const auto& [key, text] : all.definitions) {
    definitions.push_back(
        absl::StrCat("*", EscapeMarkdown(Label(key)), "*: ", EscapeMarkdown(text)));
  }
  std::string text = absl::StrCat(
      "- Record: ", RecordLink(series.newest, results_dir), ", commit ",
      Code(record.commit.substr(0, 7)), record.dirty ? " with uncommitted changes" : "", "\n",
      MachineLine(record.machine), "- Build: ", EscapeMarkdown(record.build.compiler), ", ",
      EscapeMarkdown(record.build.mode),
      record.build.math.empty() ? ""
                                : absl::StrCat(", ", EscapeMarkdown(record.build.math), " math"),
      "\n");
  if (const std::string versions = Versions(record); !versions.empty()) {
    absl::StrAppend(&text, "- Versions: ", versions, "\n");
  }
  if (!definitions.empty()) {
    absl::StrAppend(&text, "- Definitions: ", absl::StrJoin(definitions, "; "), "\n");
  }
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

// "speed, digits on 0a1b2c3d".
std::string SetupLine(const record::Record& record) {
  return absl::StrCat(record.experiment, ", ", SetupName(record));
}

// Whether this plot of tables[index] is left to a later table, which draws all of them at once.
bool IsDrawnLater(const std::vector<Table>& tables, size_t index, const record::Plot& plot) {
  return IsShared(plot) &&
         std::any_of(tables.begin() + static_cast<ptrdiff_t>(index) + 1, tables.end(),
                     [&plot](const Table& table) {
                       return std::ranges::find(table.view.plots, plot) != table.view.plots.end();
                     });
}

// Puts a drawing among the files.
absl::Status AddDrawing(const std::string& name, absl::StatusOr<std::string> drawn,
                        std::map<std::string, std::string>* files) {
  if (!drawn.ok()) {
    return absl::Status(drawn.status().code(), absl::StrCat(name, ": ", drawn.status().message()));
  }
  (*files)[name] = *std::move(drawn);
  return absl::OkStatus();
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
  for (size_t t = 0; t < tables.size(); ++t) {
    const Table& table = tables[t];
    const record::View& view = table.view;
    const std::string title = !view.title.empty()  ? view.title
                              : !view.name.empty() ? view.name
                                                   : record.question;
    if (tables.size() > 1) {
      absl::StrAppend(&section.markdown, "**", EscapeMarkdown(title), "**\n\n");
      absl::StrAppend(&section.conclusion, t == 0 ? "" : " ", "*", EscapeMarkdown(title), "*: ");
    }
    section.conclusion += Headline(table);
    const std::string name = FileName({record.experiment, record.ConfigText(record::keys::kDataset),
                                       record.machine.id, view.name});
    const std::string markdown = TableMarkdown(table);
    section.files[absl::StrCat("tables/", name, ".md")] = markdown;
    absl::StrAppend(&section.markdown, Conclusion(table), "\n\n", markdown, "\n");
    for (size_t i = 0; i < view.plots.size(); ++i) {
      const record::Plot& plot = view.plots[i];
      if (IsDrawnLater(tables, t, plot)) continue;
      const std::optional<Drawing> drawing = Draw(table, plot, title, SetupLine(record), tables);
      if (!drawing) continue;
      const std::string base = absl::StrCat(name, "-", i + 1, "-", plot.kind);
      MLP_RETURN_IF_ERROR(AddDrawing(absl::StrCat("plots/", base, ".svg"),
                                     RenderSvg(*drawing, absl::StrReplaceAll(base, {{"-", "_"}})),
                                     &section.files));
      MLP_RETURN_IF_ERROR(
          AddDrawing(absl::StrCat("plots/", base, ".png"), RenderPng(*drawing), &section.files));
      absl::StrAppend(&section.markdown, "![", EscapeMarkdown(drawing->title), "](plots/", base,
                      ".svg)\n\n");
    }
  }
  absl::StrAppend(&section.markdown, tables.empty() ? section.conclusion + "\n\n" : "",
                  Provenance(series, results_dir), "\n");
  return section;
}

}  // namespace mlp::analysis
