// contact_sheet: draws samples of a dataset, with their labels, as one PNG.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cxxopts.hpp>
#include <fstream>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "mlp/base/status_macros.h"
#include "mlp/data/load.h"
#include "mlp/data/sheet.h"

namespace mlp::data {
namespace {

struct Flags {
  Source source;
  SheetOptions sheet;
  std::string out;
  bool force = false;
};

cxxopts::Options FlagTable() {
  cxxopts::Options table("contact_sheet",
                         "Draws samples of a dataset, with their labels, as one PNG.");
  // clang-format off
  table.add_options()
      ("data", "digits, mnist, or a directory with four IDX files",
       cxxopts::value<std::string>()->default_value("digits"))
      ("data_dir", "where mnist lies",
       cxxopts::value<std::string>()->default_value(""))
      ("data_seed", "which digits are generated",
       cxxopts::value<uint64_t>()->default_value("1"))
      ("out", "the PNG to write", cxxopts::value<std::string>())
      ("rows", "rows of samples, one class each",
       cxxopts::value<size_t>()->default_value("10"))
      ("cols", "samples in a row", cxxopts::value<size_t>()->default_value("20"))
      ("scale", "screen pixels for a sample's pixel",
       cxxopts::value<size_t>()->default_value("2"))
      ("seed", "which samples are shown", cxxopts::value<uint64_t>()->default_value("1"))
      ("force", "replace a file that is no PNG")
      ("help", "print this");
  // clang-format on
  return table;
}

constexpr const char* kExamples =
    "Examples:\n"
    "  contact_sheet --out=digits.png\n"
    "  contact_sheet --data=digits --data_seed=2 --rows=20 --out=twenty.png\n"
    "  contact_sheet --cols=40 --scale=1 --seed=7 --out=small.png\n";

// --data-dir means --data_dir.
void UnderscoresInNames(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char* c = argv[i];
    if (c[0] != '-' || c[1] != '-') continue;
    for (c += 2; *c != '\0' && *c != '='; ++c) {
      if (*c == '-') *c = '_';
    }
  }
}

// A file of another kind is not ours to replace.
absl::Status CheckReplaceable(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  if (!file || (file.read(magic, 4) && std::string(magic, 4) == "\x89PNG")) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError(path +
                                  ": file: expected a PNG or nothing, found another file; choose "
                                  "another --out, or replace it with --force");
}

absl::Status Draw(const Flags& flags) {
  if (!flags.force) MLP_RETURN_IF_ERROR(CheckReplaceable(flags.out));
  MLP_ASSIGN_OR_RETURN(const Dataset dataset, Load(flags.source));
  MLP_ASSIGN_OR_RETURN(const GreyImage image, DrawSheet(dataset, flags.sheet));
  return WritePng(flags.out, image);
}

int Main(int argc, char** argv) {
  UnderscoresInNames(argc, argv);
  cxxopts::Options table = FlagTable();
  Flags flags;
  try {
    const cxxopts::ParseResult parsed = table.parse(argc, argv);
    if (parsed.count("help") != 0) {
      std::cout << table.help() << "\n" << kExamples;
      return 0;
    }
    if (parsed.count("out") == 0) {
      std::cerr << "contact_sheet: --out is missing; --help shows the flags\n";
      return 2;
    }
    flags = {.source = {.data = parsed["data"].as<std::string>(),
                        .data_dir = parsed["data_dir"].as<std::string>(),
                        .data_seed = parsed["data_seed"].as<uint64_t>(),
                        // Enough to choose from, and quickly made.
                        .digits_train = 10000,
                        .digits_test = 0},
             .sheet = {.rows = parsed["rows"].as<size_t>(),
                       .cols = parsed["cols"].as<size_t>(),
                       .scale = parsed["scale"].as<size_t>(),
                       .seed = parsed["seed"].as<uint64_t>()},
             .out = parsed["out"].as<std::string>(),
             .force = parsed.count("force") != 0};
  } catch (const std::exception& error) {
    std::cerr << "contact_sheet: " << error.what() << "; --help shows the flags\n";
    return 2;
  }
  // Under `bazel run`, paths are relative to where the user stands.
  if (const char* directory = std::getenv("BUILD_WORKING_DIRECTORY")) {
    if (chdir(directory) != 0) std::perror("contact_sheet: BUILD_WORKING_DIRECTORY");
  }
  if (const absl::Status status = Draw(flags); !status.ok()) {
    std::cerr << "contact_sheet: " << status.message() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace mlp::data

int main(int argc, char** argv) { return mlp::data::Main(argc, argv); }
