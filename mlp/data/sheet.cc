#include "mlp/data/sheet.h"

#include <png.h>

#include <array>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mlp/base/check.h"
#include "mlp/base/rng.h"
#include "mlp/base/status_macros.h"
#include "mlp/data/file_error.h"
#include "mlp/io/atomic_file.h"

namespace mlp::data {
namespace {

constexpr uint8_t kPaper = 255;
constexpr uint8_t kLine = 220;
constexpr uint8_t kFigure = 120;
constexpr size_t kFigureWidth = 3;
constexpr size_t kFigureHeight = 5;
constexpr size_t kMostPixels = size_t{1} << 26;

// The ten figures, row by row, the highest of three bits at the left.
constexpr std::array<std::array<uint8_t, kFigureHeight>, 10> kFigures = {{
    {7, 5, 5, 5, 7},
    {2, 6, 2, 2, 7},
    {7, 1, 7, 4, 7},
    {7, 1, 3, 1, 7},
    {5, 5, 7, 1, 1},
    {7, 4, 7, 1, 7},
    {7, 4, 7, 5, 7},
    {7, 1, 1, 2, 2},
    {7, 5, 7, 5, 7},
    {7, 5, 7, 1, 7},
}};

// One cell of the sheet, addressed in screen pixels.
class Cell {
 public:
  Cell(GreyImage& image, size_t x, size_t y) : image_(image), x_(x), y_(y) {}

  uint8_t& At(size_t x, size_t y) const { return image_.pixels[(y_ + y) * image_.width + x_ + x]; }

  void DrawSample(std::span<const uint8_t> sample, size_t rows, size_t cols, size_t scale) const {
    for (size_t y = 0; y < rows * scale; ++y) {
      for (size_t x = 0; x < cols * scale; ++x) {
        At(x, y) = static_cast<uint8_t>(kPaper - sample[y / scale * cols + x / scale]);
      }
    }
  }

  // As many figures as fit into a cell of that size.
  void DrawNumber(size_t number, size_t height, size_t width) const {
    size_t left = 1;
    for (const char figure : absl::StrCat(number)) {
      if (left + kFigureWidth > width || 1 + kFigureHeight > height) return;
      for (size_t y = 0; y < kFigureHeight; ++y) {
        for (size_t x = 0; x < kFigureWidth; ++x) {
          if (kFigures[figure - '0'][y] >> (kFigureWidth - 1 - x) & 1)
            At(left + x, 1 + y) = kFigure;
        }
      }
      left += kFigureWidth + 1;
    }
  }

 private:
  GreyImage& image_;
  const size_t x_;
  const size_t y_;
};

// The samples of each class, in random order.
std::vector<std::vector<uint32_t>> SamplesByClass(const Dataset& dataset, uint64_t seed) {
  std::vector<std::vector<uint32_t>> samples(dataset.classes);
  for (size_t i = 0; i < dataset.train.size; ++i) {
    samples[dataset.train.labels[i]].push_back(static_cast<uint32_t>(i));
  }
  for (size_t c = 0; c < samples.size(); ++c) {
    Stream stream(seed, Purpose::kShuffle, 0, static_cast<uint32_t>(c));
    Shuffle(stream, samples[c]);
  }
  return samples;
}

// The number of screen pixels across `cells` cells of `side` samples' pixels, with a line between
// them; kMostPixels + 1 where it is larger.
size_t Extent(size_t cells, size_t side, size_t scale) {
  if (cells > kMostPixels || side > kMostPixels || scale > kMostPixels) return kMostPixels + 1;
  const auto wide = static_cast<unsigned __int128>(cells) * (side * scale + 1) + 1;
  return wide > kMostPixels ? kMostPixels + 1 : static_cast<size_t>(wide);
}

}  // namespace

absl::StatusOr<GreyImage> DrawSheet(const Dataset& dataset, const SheetOptions& options) {
  if (dataset.train.pixels.empty() && dataset.train.size > 0) {
    return absl::InvalidArgumentError(absl::StrCat("sheet: expected pictures, found the values of ",
                                                   dataset.name, "; choose another --data"));
  }
  const size_t cell_width = dataset.cols * options.scale;
  const size_t cell_height = dataset.rows * options.scale;
  const size_t width = Extent(options.cols, dataset.cols, options.scale);
  const size_t height = Extent(options.rows, dataset.rows, options.scale);
  if (options.rows == 0 || options.cols == 0 || options.scale == 0 ||
      width * height > kMostPixels) {
    return absl::InvalidArgumentError(
        absl::StrCat("sheet: expected rows, cols and scale above 0 and at most ", kMostPixels,
                     " pixels in all, found ", options.rows, " rows, ", options.cols,
                     " cols at scale ", options.scale, "; choose smaller ones"));
  }
  GreyImage image{
      .width = width, .height = height, .pixels = std::vector<uint8_t>(width * height, kLine)};
  const std::vector<std::vector<uint32_t>> samples = SamplesByClass(dataset, options.seed);
  const std::vector<uint8_t> blank(dataset.train.features, 0);
  for (size_t r = 0; r < options.rows; ++r) {
    const size_t label = r % dataset.classes;
    // Further rows of the same class go on where the one before stopped.
    const size_t first = r / dataset.classes * options.cols;
    for (size_t c = 0; c < options.cols; ++c) {
      const Cell cell(image, 1 + c * (cell_width + 1), 1 + r * (cell_height + 1));
      if (first + c >= samples[label].size()) {
        cell.DrawSample(blank, dataset.rows, dataset.cols, options.scale);
        continue;
      }
      const size_t i = samples[label][first + c];
      cell.DrawSample(
          dataset.train.pixels.span().subspan(i * dataset.train.features, dataset.train.features),
          dataset.rows, dataset.cols, options.scale);
      cell.DrawNumber(label, cell_height, cell_width);
    }
  }
  return image;
}

absl::Status WritePng(absl::string_view path, const GreyImage& image) {
  MLP_CHECK_EQ(image.pixels.size(), image.width * image.height);
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_GRAY;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string encoded(bytes, '\0');
  if (png_image_write_to_memory(&header, encoded.data(), &bytes, /*convert_to_8_bit=*/0,
                                image.pixels.data(), /*row_stride=*/0, nullptr) == 0) {
    return FileError(absl::StatusCode::kInternal, path, "image", "a picture that libpng encodes",
                     header.message, "make it smaller");
  }
  encoded.resize(bytes);
  return io::WriteFileAtomically(std::string(path), encoded);
}

}  // namespace mlp::data
