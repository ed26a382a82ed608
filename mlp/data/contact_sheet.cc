// contact_sheet: draws samples of a dataset, with their labels, as one PNG.
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "mlp/base/status_macros.h"
#include "mlp/data/load.h"
#include "mlp/data/sheet.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/paths.h"
#include "mlp/flags/program.h"
#include "mlp/io/replace.h"

namespace mlp::data {
namespace {

struct Values {
  Source source;
  SheetOptions sheet;
  std::string out;
  bool force = false;
};

constexpr io::FileKind kPngFile = {"PNG", "\x89PNG"};

absl::Status Draw(const Values& flags) {
  // Known before the work, not after it.
  MLP_RETURN_IF_ERROR(io::CheckReplaceable(flags.out, kPngFile, flags.force));
  MLP_ASSIGN_OR_RETURN(const Dataset dataset, Load(flags.source));
  MLP_ASSIGN_OR_RETURN(const GreyImage image, DrawSheet(dataset, flags.sheet));
  return WritePng(flags.out, image);
}

int Main(int argc, char** argv) {
  // Enough to choose from, and quickly made.
  Values values;
  values.source.digits_train = 10000;
  values.source.digits_test = 0;
  flags::Flags flags("contact_sheet", "Draws samples of a dataset, with their labels, as one PNG.");
  flags.Group("Data");
  flags.String("data", &values.source.data, {.help = "digits, mnist, or a directory of IDX files"});
  flags.String("data_dir", &values.source.data_dir,
               {.help = data::kDataDirHelp, .value_name = "DIR"});
  flags.Int("data_seed", &values.source.data_seed, {.help = "which digits are generated"});
  flags.Group("Picture");
  flags.String("out", &values.out, {.help = "the PNG to write", .value_name = "FILE"});
  flags.Int("rows", &values.sheet.rows, {.help = "rows of samples, one class each", .min = 1});
  flags.Int("cols", &values.sheet.cols, {.help = "samples in a row", .min = 1});
  flags.Int("scale", &values.sheet.scale,
            {.help = "size of a sample's pixel", .unit = "pixels", .min = 1});
  flags.Int("seed", &values.sheet.seed, {.help = "which samples are shown"});
  flags.Bool("force", &values.force, "replace a file that is no PNG");
  flags.Example("contact_sheet --out=digits.png");
  flags.Example("contact_sheet --data=digits --data_seed=2 --rows=20 --out=twenty.png");
  flags.Example("contact_sheet --cols=40 --scale=1 --seed=7 --out=small.png");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;
  if (!flags.Given("out")) {
    std::cerr << "contact_sheet: --out: expected the PNG to write, found nothing; name it\n";
    return 2;
  }
  values.out = flags::ResolvePath(values.out);
  values.source.data_dir = flags::ResolvePath(values.source.data_dir);
  if (!IsNamed(values.source.data)) values.source.data = flags::ResolvePath(values.source.data);
  if (const absl::Status status = Draw(values); !status.ok()) {
    std::cerr << "contact_sheet: " << status.message() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace mlp::data

int main(int argc, char** argv) {
  return mlp::flags::RunMain("contact_sheet", [&] { return mlp::data::Main(argc, argv); });
}
